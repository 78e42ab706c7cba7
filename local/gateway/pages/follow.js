// Following the highlights: by the stream, and by the change feed while the stream cannot be had.

import { page, request } from "./api.js";

const SILENCE_MS = 40_000; // the stream sends something every 15 s
const SHORTEST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15_000;
const POLL_MS = 4000;
const SLOW_MS = 2000;
// A browser has six connections to a server for all its tabs: one that nobody sees gives its own back.
const UNSEEN_MS = 30_000;

/**
 * Follow the changes of a view until the server refuses its filter.
 *
 * The view has a `filter` (parameters); `load()`, which reads all anew and returns the cursor of that
 * moment; `change(highlight)`; `state(name, error)`, where the name is "live", "polling", "down" or
 * "refused"; `needsKey()`, which resolves once there is another API key; and `sleep(ms)`.
 */
export async function follow(view) {
  const position = { cursor: null };
  let failures = 0;
  for (;;) {
    let wasLive = false;
    let waitMs = SHORTEST_WAIT_MS;
    const onLive = () => {
      wasLive = true;
      failures = 0;
      view.state("live");
    };
    try {
      position.cursor ??= await view.load();
      await stream(view, position, onLive);
    } catch (error) {
      if (document.hidden) {
        await seen();
        continue;
      }
      if (error.status === 401) {
        await view.needsKey();
        continue;
      }
      if (error.status === 400) {
        view.state("refused", error);
        return;
      }
      failures += 1;
      view.state("down", error);
      if (wasLive) {
        // The next attempt is soon, and a server that restarts has enough to do.
      } else if (position.cursor && (await poll(view, position))) {
        failures = 0;
        waitMs = POLL_MS;
      } else {
        waitMs = Math.min(LONGEST_WAIT_MS, SHORTEST_WAIT_MS * 2 ** failures);
      }
      waitMs = Math.max(waitMs, error.retryAfterMs ?? 0);
    }
    await view.sleep(waitMs * (1 - Math.random() / 2));
  }
}

/** Read the change feed to its end; return whether that was possible. */
async function poll(view, position) {
  try {
    for (let more = true; more; ) {
      const query = new URLSearchParams({ ...view.filter, changedSince: position.cursor });
      const { items, links } = await page(`highlights?${query}`);
      items.forEach(view.change);
      position.cursor = links.changes.get("changedSince");
      more = "next" in links;
    }
    view.state("polling");
    return true;
  } catch (error) {
    if (error.status === 410) {
      position.cursor = null; // too old: all is read anew
    }
    return false;
  }
}

/** Pass on the changes of the stream until it ends; the cursor is null if it was too old. */
async function stream(view, position, onLive) {
  const line = new AbortController();
  const slow = setTimeout(() => view.state("down"), SLOW_MS);
  let timer;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => line.abort(), SILENCE_MS);
  };
  let unseen;
  const watch = () => {
    clearTimeout(unseen);
    unseen = document.hidden && setTimeout(() => line.abort(), UNSEEN_MS);
  };
  document.addEventListener("visibilitychange", watch);
  try {
    watch();
    heard();
    const query = new URLSearchParams({ ...view.filter, lastEventId: position.cursor });
    const response = await request(`highlights/stream?${query}`, { signal: line.signal });
    clearTimeout(slow);
    if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) {
      throw new Error("There is no stream here.");
    }
    for await (const event of events(response.body, heard)) {
      position.cursor = event.id || position.cursor;
      if (event.type === "reset") {
        position.cursor = null;
      }
      if (event.type === "reset" || event.type === "end") {
        return;
      }
      onLive();
      if (event.type === "highlight") {
        view.change(JSON.parse(event.data));
      }
    }
    throw new Error("The line was cut.");
  } finally {
    document.removeEventListener("visibilitychange", watch);
    clearTimeout(unseen);
    clearTimeout(slow);
    clearTimeout(timer);
    line.abort();
  }
}

async function seen() {
  while (document.hidden) {
    await new Promise((resolve) => {
      document.addEventListener("visibilitychange", resolve, { once: true });
    });
  }
}

/** Yield the server-sent events of a body; unlike EventSource this hears comments, and sends a key. */
async function* events(body, heard) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let event = { type: "message", id: "", data: "" };
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      return;
    }
    heard();
    const lines = (rest + value).split(/\r?\n/);
    rest = lines.pop();
    for (const line of lines) {
      const [, field, text] = line.match(/^([^:]*):? ?(.*)$/s);
      if (field === "event") {
        event.type = text;
      } else if (field === "id" || field === "data") {
        event[field] += text;
      } else if (line === "") {
        yield event;
        event = { type: "message", id: "", data: "" };
      }
    }
  }
}
