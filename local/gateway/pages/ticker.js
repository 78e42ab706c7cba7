// The live ticker: all matches, or one at /?match=ID.

import { page, Problem, useKey } from "./api.js";
import { Feed } from "./feed.js";
import { follow } from "./follow.js";
import { Matches } from "./matches.js";
import { score, sides, time, title } from "./text.js";

const PAGE_SIZE = 50;
const ANNOUNCE_MS = 500;
const find = (id) => document.getElementById(id);
const only = new URLSearchParams(location.search).get("match");
const filter = only ? { matchId: only } : {};

const byClock = (one, other) => compare(other, one, "occurredAt", "id");
const byArrival = (one, other) => compare(other, one, "createdAt", "occurredAt", "id");

function compare(one, other, ...fields) {
  for (const field of fields) {
    const [left, right] = [one[field], other[field]].map((text) =>
      field === "id" ? text : Date.parse(text),
    );
    if (left !== right) {
      return left < right ? -1 : 1;
    }
  }
  return 0;
}

const matches = new Matches(find("matches"), {
  only,
  onChange: (match) => {
    if (match) {
      const [home, away] = sides(match);
      const result = score(match.homeScore, match.awayScore) ?? "v";
      find("heading").textContent = document.title = `${home} ${result} ${away}`;
    }
  },
});
const feed = new Feed(find("feed"), {
  order: only ? byClock : byArrival,
  withMatch: !only,
  isReading: () => find("feed").getBoundingClientRect().top < 0,
  onHeld: (count) => {
    find("newer").hidden = count === 0;
    find("newer").textContent = `${count} new`;
  },
});

async function load() {
  const query = new URLSearchParams({ ...filter, pageSize: PAGE_SIZE });
  const first = await page(`highlights?${query}`);
  const retracted = await page(`highlights?${query}&status=RETRACTED`);
  await matches.reset();
  const oldest = first.items.length === PAGE_SIZE ? first.items.at(-1) : null;
  const isAsRecent = (highlight) => !oldest || byClock(highlight, oldest) < 0;
  feed.reset([...first.items, ...retracted.items.filter(isAsRecent)], first.language);
  updated();
  return first.links.changes.get("changedSince");
}

function change(highlight) {
  const before = feed.change(highlight);
  matches.change(highlight);
  announce(highlight, before);
  updated();
}

function updated() {
  find("empty").hidden = feed.size > 0;
  find("last-update").hidden = false;
  find("last-update").querySelector("time").replaceWith(time(new Date().toISOString()));
}

let announcements = [];

/** Tell a screen reader of a title that is new, and of a goal that was taken back. */
function announce(highlight, before) {
  const isTakenBack = highlight.status === "RETRACTED";
  const isTold = before?.status === highlight.status && before?.title === highlight.title;
  if (isTold || highlight.status === "PENDING_AI" || (isTakenBack && !before)) {
    return;
  }
  const words = title(highlight).map((part) => part.textContent ?? part).join("");
  const reason = highlight.reason ? `: ${highlight.reason}` : "";
  announcements.push(isTakenBack ? `Taken back${reason}. ${words}` : words);
  if (announcements.length === 1) {
    setTimeout(() => {
      find("announcer").textContent =
        announcements.length > 3 ? `${announcements.length} changes` : announcements.join(". ");
      announcements = [];
    }, ANNOUNCE_MS);
  }
}

const WORDS = {
  live: () => "Live",
  polling: () => "The stream is down; looking again every few seconds",
  down: (since, error) =>
    `The line is down since ${since}, trying again. ${error instanceof Problem ? error.message : ""}`,
  refused: () => "This address names no match",
};
let downSince = null;

function state(name, error) {
  downSince = name === "live" ? null : (downSince ?? new Date());
  find("line").dataset.state = name;
  if (name === "refused") {
    find("empty").textContent = `The match id ${error.errors.matchId?.join(" ") ?? "is not accepted"}.`;
    find("empty").hidden = false;
  }
  const words = WORDS[name](downSince?.toLocaleTimeString(), error);
  if (find("line-text").textContent !== words) {
    find("line-text").textContent = words; // else a screen reader might say the same again
  }
  find("try-now").hidden = name !== "down" && name !== "polling";
}

/** Wait so long, or until the button is pressed or the network is back. */
function sleep(milliseconds) {
  const slept = new AbortController();
  const { signal } = slept;
  return new Promise((resolve) => {
    const wake = () => {
      slept.abort(); // so that no listener is left
      resolve();
    };
    setTimeout(wake, milliseconds);
    find("try-now").addEventListener("click", wake, { signal });
    addEventListener("online", wake, { signal });
  });
}

/** Ask for an API key; resolve once one was given. */
function needsKey() {
  find("line").dataset.state = "down";
  find("line-text").textContent = "An API key is needed";
  find("key-error").hidden = find("key").value === "";
  find("key-error").textContent = "This key is not valid.";
  find("key-form").hidden = false;
  find("key").focus();
  return new Promise((resolve) => {
    const submitted = (event) => {
      event.preventDefault();
      useKey(find("key").value);
      find("key-form").hidden = true;
      resolve();
    };
    find("key-form").addEventListener("submit", submitted, { once: true });
  });
}

find("all").hidden = !only;
find("newer").addEventListener("click", () => {
  feed.release();
  scrollTo({ top: 0 });
});
addEventListener("scroll", () => feed.releaseUnlessReading(), { passive: true });
follow({ filter, load, change, state, needsKey, sleep });
