// The list of highlights: the newest on top, changed in place, held back while one reads further down.

import { clock, element, flash, isolated, name, score, sides, time, title } from "./text.js";

const MOST = 200; // a page left open for a week keeps no more

/**
 * The highlights in an <ol>; `order(one, other)` is positive if `other` comes first.
 *
 * While `isReading()` a new highlight waits; `onHeld` is called with the number of those that do.
 */
export class Feed {
  constructor(list, { order, withMatch, isReading, onHeld }) {
    Object.assign(this, { list, order, withMatch, isReading, onHeld });
    this.entries = new Map();
  }

  /** Show these highlights instead of all others; `language` is that of their texts, null if not told. */
  reset(highlights, language) {
    this.language = language;
    this.entries.clear();
    this.list.replaceChildren();
    highlights.forEach((highlight) => this.#add(highlight));
    this.release();
  }

  /** Show a highlight as it is now; return how it was before, undefined if it is new. */
  change(highlight) {
    const entry = this.entries.get(highlight.id);
    const before = entry?.highlight;
    if (before && Date.parse(before.updatedAt) > Date.parse(highlight.updatedAt)) {
      return before;
    }
    if (entry) {
      entry.highlight = highlight.status === "RETRACTED" ? takenBack(before, highlight) : highlight;
      this.#fill(entry, highlight.revision !== before.revision);
    } else {
      this.#add(highlight);
    }
    if (this.entries.has(highlight.id)) {
      flash(this.entries.get(highlight.id).node);
    }
    this.releaseUnlessReading();
    return before;
  }

  /** Show the highlights that wait, as soon as nobody reads further down. */
  releaseUnlessReading() {
    if (!this.isReading()) {
      this.release();
    }
  }

  /** Show the highlights that wait. */
  release() {
    for (const entry of this.#sorted()) {
      if (!entry.node.isConnected) {
        this.#insert(entry);
      }
    }
    this.onHeld(0);
  }

  get size() {
    return this.entries.size;
  }

  #add(highlight) {
    const entry = { highlight, node: element("li", { className: "entry" }) };
    this.entries.set(highlight.id, entry);
    this.#fill(entry, false);
    this.#sorted()
      .slice(MOST)
      .forEach(({ highlight: { id }, node }) => {
        this.entries.delete(id);
        node.remove();
      });
    this.onHeld([...this.entries.values()].filter(({ node }) => !node.isConnected).length);
  }

  #sorted() {
    return [...this.entries.values()].sort((one, other) =>
      this.order(one.highlight, other.highlight),
    );
  }

  #insert(entry) {
    const next = [...this.list.children].find(
      (node) => this.order(entry.highlight, this.entries.get(node.dataset.id).highlight) < 0,
    );
    this.list.insertBefore(entry.node, next ?? null);
  }

  #fill(entry, isCorrected) {
    const { highlight, node } = entry;
    entry.isCorrected ||= isCorrected;
    node.dataset.id = highlight.id;
    node.dataset.status = highlight.status;
    node.replaceChildren(...contents(highlight, entry.isCorrected, this));
  }
}

/** Return a highlight as it was told, which a retraction need not repeat, with why it is taken back. */
function takenBack(told, { status, reason, revision, updatedAt }) {
  return { ...told, status, reason, revision, updatedAt };
}

function contents(highlight, isCorrected, { withMatch, language }) {
  const isRetracted = highlight.status === "RETRACTED";
  const text = { dir: "auto", ...(highlight.texts?.[language] && { lang: language }) };
  const heading = element("h3", text, element(isRetracted ? "s" : "span", {}, ...title(highlight)));
  const result = score(highlight.homeScore, highlight.awayScore);
  const shootout = score(highlight.homeShootoutScore, highlight.awayShootoutScore);
  return [
    element(
      "p",
      { className: "result" },
      result && element(isRetracted ? "s" : "b", {}, result),
      shootout && element("span", {}, `(${shootout} pens)`),
      clock(highlight) && element("span", { className: "clock" }, clock(highlight)),
    ),
    element(
      "div",
      { className: "telling" },
      heading,
      ...note(highlight, isCorrected),
      isRetracted || !highlight.summary
        ? null
        : element("p", { className: "summary", ...text }, ...isolated(highlight.summary, highlight)),
      element("p", { className: "meta" }, ...(withMatch ? matchLink(highlight) : []), time(highlight.occurredAt)),
    ),
  ];
}

function note({ status, reason, title: hasText }, isCorrected) {
  const [className, text] =
    {
      RETRACTED: ["taken-back", "Taken back"],
      PENDING_AI: ["pending", hasText ? "A new text follows …" : "Text follows …"],
      FAILED_AI: hasText ? null : ["pending", "No text could be written"],
    }[status] ?? (isCorrected ? ["corrected", "Corrected"] : []);
  if (!text) {
    return [];
  }
  const why = status === "RETRACTED" && reason ? [": ", element("bdi", {}, reason)] : [];
  return [element("p", { className: `note ${className}` }, text, ...why)];
}

function matchLink(highlight) {
  const [home, away] = sides(highlight);
  const link = element("a", { href: `?match=${highlight.matchId}` }, name(home), " v ", name(away));
  return [link, " \u00b7 "];
}
