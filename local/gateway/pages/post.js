// Posts goals, corrects them and takes them back, and shows what becomes of each.

import { Problem, request, useKey } from "./api.js";
import { element, title } from "./text.js";

const LOOK_MS = 100;
const PATIENCE_MS = 30_000;
const find = (id) => document.getElementById(id);
const form = find("event");
const fields = form.elements;
const ticker = find("ticker").href;

// The final of 2022, goal by goal, so that the next one is always filled in.
const FINAL = [
  { team: "home", player: "Lionel Messi", minute: "23", eventType: "penalty_goal", assist: "" },
  { team: "home", player: "Ángel Di María", minute: "36", eventType: "goal", assist: "Alexis Mac Allister" },
  { team: "away", player: "Kylian Mbappé", minute: "80", eventType: "penalty_goal", assist: "" },
  { team: "away", player: "Kylian Mbappé", minute: "81", eventType: "goal", assist: "Marcus Thuram" },
  { team: "home", player: "Lionel Messi", minute: "108", eventType: "goal", assist: "" },
  { team: "away", player: "Kylian Mbappé", minute: "118", eventType: "penalty_goal", assist: "" },
];
const NUMBERS = ["homeScore", "awayScore", "minute", "addedTime"];

const standing = { home: 0, away: 0 };
let goals = 0;
let revised = null; // the event that the form corrects, null if it posts another

/** Fill in the next goal of the final; after the last one another match begins. */
function suggest() {
  const number = goals % FINAL.length;
  if (number === 0) {
    Object.assign(standing, { home: 0, away: 0 });
    fill({ matchId: newId(), homeTeam: "Argentina", awayTeam: "France" });
  }
  const goal = FINAL[number];
  const after = { ...standing, [goal.team]: standing[goal.team] + 1 };
  fill({ ...goal, addedTime: "", description: "", homeScore: after.home, awayScore: after.away });
}

function fill(values) {
  for (const [field, value] of Object.entries(values)) {
    if (fields[field]) {
      fields[field].value = value ?? "";
    }
  }
}

/** Return a UUID; `crypto.randomUUID` is only there with HTTPS or on localhost. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** Return the event in the form; what is not filled in is left out. */
function event() {
  const filled = [...new FormData(form)].filter(([, value]) => value.trim() !== "");
  const values = filled.map(([field, value]) => [field, NUMBERS.includes(field) ? numeric(value) : value]);
  return { occurredAt: new Date().toISOString(), eventId: newId(), revision: 0, ...Object.fromEntries(values) };
}

/** Return a number; what is none stays text, so that the server says what is wrong with it. */
function numeric(text) {
  return Number.isFinite(Number(text)) ? Number(text) : text;
}

form.addEventListener("submit", async (submitted) => {
  submitted.preventDefault();
  const next = event();
  if (revised) {
    const { occurredAt, eventId, revision } = revised.event;
    Object.assign(next, { occurredAt, eventId, revision: revision + 1 });
  }
  await post(next, revised?.row);
});

/** Post an event and show in a row what becomes of it, `row` if it revises one; return whether it was accepted. */
async function post(event, row) {
  showProblem(null);
  find("submit").disabled = true;
  try {
    const began = performance.now();
    const response = await request("events", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(event),
    });
    const accepted = await response.json();
    show(event, accepted, performance.now() - began, row);
    if (!row) {
      goals += 1;
      Object.assign(standing, { home: event.homeScore ?? 0, away: event.awayScore ?? 0 });
    }
    anotherGoal();
    return true;
  } catch (error) {
    showProblem(error);
    return false;
  } finally {
    find("submit").disabled = false;
  }
}

function anotherGoal() {
  revised = null;
  find("submit").textContent = "Post the goal";
  find("cancel").hidden = true;
  suggest();
}

function correct(event, row) {
  revised = { event, row };
  fill({ assist: "", addedTime: "", description: "", ...event });
  find("submit").textContent = "Post the correction";
  find("cancel").hidden = false;
  fields.player.focus();
}

async function retract(event, row) {
  const revision = event.revision + 1;
  if (await post({ ...event, revision, retracted: true, reason: "Offside (VAR)" }, row)) {
    standing[event.team] = Math.max(0, standing[event.team] - 1);
    anotherGoal();
  }
}

/** Show in a row what became of an event: a new row, or that of an earlier revision. */
function show(event, accepted, milliseconds, known) {
  const row = known ?? element("li", { className: "card posted" });
  const outcome = element("p", { dir: "auto" });
  const answer = element("p", { className: "meta" }, `202 after ${Math.round(milliseconds)} ms`);
  const link = element("a", { href: `${ticker}?match=${event.matchId}`, target: "ticker" }, "See it in the ticker");
  const correction = element("button", { type: "button", className: "quiet" }, "Correct it");
  const retraction = element("button", { type: "button", className: "quiet" }, "Take it back (VAR)");
  correction.addEventListener("click", () => correct(event, row));
  retraction.addEventListener("click", () => retract(event, row));
  const buttons = event.retracted ? [] : [correction, retraction];
  row.replaceChildren(outcome, answer, element("p", { className: "row" }, link, ...buttons));
  if (!known) {
    find("posted").prepend(row);
  }
  find("posted-heading").hidden = false;
  if (accepted.highlight === "none") {
    outcome.textContent = accepted.hint ?? "Events of this type make no highlight.";
  } else {
    watch(event, accepted.highlightId, outcome, answer);
  }
}

/** Look at the highlight until it shows this revision and has its text. */
async function watch(event, id, outcome, answer) {
  const began = performance.now();
  const since = () => performance.now() - began;
  outcome.textContent = "Its highlight is being made \u2026";
  while (since() < PATIENCE_MS) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const found = await request(`highlights/${id}`).then((response) => response.json(), () => null);
    if (found && found.revision >= event.revision && found.status !== "PENDING_AI") {
      const isRetracted = found.status === "RETRACTED";
      outcome.replaceChildren(element(isRetracted ? "s" : "b", {}, ...title(found)));
      answer.append(`, ${isRetracted ? "taken back" : found.status} within ${Math.round(since())} ms`);
      return;
    }
  }
  outcome.textContent = "Its highlight is not there yet; the ticker will show it.";
}

/** Show why an event was refused: each reason beside its field, if it has one. */
function showProblem(error) {
  for (const field of form.querySelectorAll("[name]")) {
    document.getElementById(`${field.name}-error`)?.remove();
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
  }
  find("error").hidden = error === null;
  if (error === null) {
    return;
  }
  const rest = [error instanceof Problem ? error.message : "Nothing answers here. Is the stack up?"];
  for (const [path, reasons] of Object.entries(error.errors ?? {})) {
    const field = fields[path];
    const reason = reasons.join(" ");
    if (!field?.name) {
      rest.push(`${path}: ${reason}`);
      continue;
    }
    const id = `${path}-error`;
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", id);
    field.parentElement.append(element("span", { id, className: "error" }, reason));
  }
  find("error").textContent = rest.join(" ");
  find("key-part").open ||= error.status === 401;
  (form.querySelector("[aria-invalid]") ?? find("submit")).focus();
}

find("key").addEventListener("change", () => useKey(find("key").value));
find("cancel").addEventListener("click", anotherGoal);
suggest();
