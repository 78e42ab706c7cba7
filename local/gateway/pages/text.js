// The words and the nodes of highlights and matches. Text becomes text nodes, never markup.

const DASH = "\u2013";
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const MINUTE = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });

/** Return a new element with these properties and children; a string is a text node. */
export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** Let a change be felt: a short animation, none where less motion is preferred. */
export function flash(node) {
  node.classList.remove("felt");
  void node.offsetWidth; // so that the animation begins anew
  node.classList.add("felt");
}

/** Return a name in its own direction, whatever the direction around it is. */
export function name(text) {
  return element("bdi", {}, text);
}

/** Return "2–0", or null if a score is unknown. */
export function score(home, away) {
  return home === null || away === null ? null : `${home}${DASH}${away}`;
}

/** Return the match clock, as in "45+2'", or null. */
export function clock({ minute, addedTime }) {
  if (minute === null) {
    return null;
  }
  return addedTime ? `${minute}+${addedTime}'` : `${minute}'`;
}

/** Return a <time> in the reader's own zone: of today only the hour, else the day too. */
export function time(iso) {
  const at = new Date(iso);
  const isToday = DAY.format(at) === DAY.format(new Date());
  const shown = isToday ? CLOCK.format(at) : `${DAY.format(at)}, ${MINUTE.format(at)}`;
  return element("time", { dateTime: iso, title: at.toLocaleString() }, shown);
}

/** Return the two names of a match's sides. */
export function sides({ homeTeam, awayTeam }) {
  return [homeTeam ?? "Home", awayTeam ?? "Away"];
}

/** Return the nodes of a highlight's title: its own, or the event's facts until it has one. */
export function title(highlight) {
  return highlight.title === null ? facts(highlight) : isolated(highlight.title, highlight);
}

/** Return a text's nodes, in which each name of the highlight keeps its own direction. */
export function isolated(text, { player, assist, homeTeam, awayTeam, team }) {
  const names = [player, assist, homeTeam, awayTeam, team].filter((each) => each?.trim());
  if (!names.length) {
    return [text];
  }
  const longestFirst = names.sort((one, other) => other.length - one.length);
  const any = longestFirst.map((each) => each.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
  return text.split(new RegExp(`(${any})`)).map((part, index) => (index % 2 ? name(part) : part));
}

function facts(highlight) {
  const words = highlight.eventType.replaceAll("_", " ");
  const [home, away] = sides(highlight);
  const team = { home, away }[highlight.team] ?? highlight.team;
  const who = highlight.player ?? team;
  const when = clock(highlight);
  return [
    words.charAt(0).toUpperCase() + words.slice(1),
    ...(who ? [" \u2014 ", name(who)] : []),
    ...(when ? [`, ${when}`] : []),
  ];
}
