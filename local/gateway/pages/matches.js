// The matches with their scores: a card for each, or the scoreboard of the one that is followed.

import { page } from "./api.js";
import { element, flash, name, score, sides, time } from "./text.js";

const UNKNOWN = "\u2013";
const MOST = 60;
const REFRESH_MS = 1000;

/**
 * The matches in `place`; `only` is the id of the one match that is followed, or null.
 *
 * `onChange` is called with that match, undefined if there is none, whenever it may have changed.
 */
export class Matches {
  constructor(place, { only, onChange }) {
    Object.assign(this, { place, only, onChange, matches: new Map(), nodes: new Map() });
    this.query = new URLSearchParams(only ? { matchId: only } : { pageSize: MOST });
  }

  /** Read all matches, and forget what was known of them. */
  async reset() {
    const { items } = await page(`matches?${this.query}`);
    this.matches.clear();
    this.#take(items);
  }

  #take(items) {
    for (const match of items) {
      const known = this.matches.get(match.matchId);
      if (!known || at(known.updatedAt) <= at(match.updatedAt)) {
        this.matches.set(match.matchId, { ...match, ...names(match, known) });
      }
    }
    this.#show();
  }

  /** Take over what a changed highlight says of its match; ask the server where that is not certain. */
  change(highlight) {
    const { id, matchId, status, occurredAt, updatedAt, homeScore, awayScore } = highlight;
    const known = this.matches.get(matchId);
    const isLater = !known || at(occurredAt) > at(known.occurredAt);
    const isSame = known?.latest === id && occurredAt === known.occurredAt;
    if (status === "RETRACTED" || !(isLater || isSame)) {
      this.#loadSoon();
      return;
    }
    const told = { matchId, homeScore, awayScore, occurredAt, updatedAt, latest: id };
    this.matches.set(matchId, { ...told, ...names(highlight, known) });
    this.#show();
  }

  #loadSoon() {
    const again = () => this.#loadSoon();
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      page(`matches?${this.query}`).then(({ items }) => this.#take(items), again);
    }, REFRESH_MS * Math.random());
  }

  #show() {
    const latestFirst = [...this.matches.values()].sort(
      (one, other) => at(other.occurredAt) - at(one.occurredAt),
    );
    latestFirst.splice(MOST).forEach(({ matchId }) => this.matches.delete(matchId));
    for (const [matchId, node] of this.nodes) {
      if (!this.matches.has(matchId)) {
        node.remove();
        this.nodes.delete(matchId);
      }
    }
    const nodes = latestFirst.map((match) => this.#filled(match));
    const isMoved = nodes.some((node, index) => node !== this.place.children[index]);
    if (isMoved && !this.place.contains(document.activeElement)) {
      this.place.replaceChildren(...nodes); // not while one of them has the focus: it would lose it
    }
    this.onChange(this.matches.get(this.only));
  }

  #filled(match) {
    let node = this.nodes.get(match.matchId);
    if (!node) {
      const href = `?match=${match.matchId}`;
      node = this.only ? element("div", {}) : element("a", { href });
      node.className = this.only ? "scoreboard" : "card match";
      this.nodes.set(match.matchId, node);
    }
    const shown = JSON.stringify([match.homeTeam, match.awayTeam, match.homeScore, match.awayScore]);
    if (node.dataset.shown !== shown) {
      if (node.dataset.shown) {
        flash(node);
      }
      node.dataset.shown = shown;
      node.replaceChildren(...(this.only ? scoreboard(match) : card(match)), time(match.occurredAt));
    }
    return node;
  }
}

/** Return the names of the sides; those that are no longer told are still known. */
function names(told, known) {
  return {
    homeTeam: told.homeTeam ?? known?.homeTeam ?? null,
    awayTeam: told.awayTeam ?? known?.awayTeam ?? null,
  };
}

function at(iso) {
  return Date.parse(iso);
}

function scoreboard(match) {
  const [home, away] = sides(match);
  const result = score(match.homeScore, match.awayScore) ?? UNKNOWN;
  return [name(home), element("b", {}, result), name(away)];
}

function card(match) {
  const [home, away] = sides(match);
  const side = (team, goals) => {
    const shown = element("b", {}, goals === null ? UNKNOWN : String(goals));
    return element("span", { className: "side" }, name(team), " ", shown, " ");
  };
  return [side(home, match.homeScore), side(away, match.awayScore)];
}
