// Requests to this page's own server, with the API key if there is one.

const KEY = "goalstream.apiKey";
const TIMEOUT_MS = 15_000;

/** An answer that is an error; `errors` has the reasons for each field. */
export class Problem extends Error {
  constructor(status, { detail, title, errors }, retryAfterS) {
    super(detail ?? title ?? `The server answered with ${status}.`);
    this.status = status;
    this.errors = errors ?? {};
    this.retryAfterMs = 1000 * retryAfterS;
  }
}

let key = null;
try {
  key = sessionStorage.getItem(KEY);
} catch {
  // Storage is not allowed here: the key lasts as long as the page.
}

/** Send this API key with each request from now on, also after a reload of this tab. */
export function useKey(text) {
  key = text.trim() || null;
  try {
    sessionStorage.setItem(KEY, key ?? "");
  } catch {
    // As above.
  }
}

/**
 * Return the response to a request.
 *
 * @throws {Problem} the server answered with an error
 * @throws {Error} nothing answered
 */
export async function request(url, { headers = {}, signal, ...options } = {}) {
  const response = await fetch(url, {
    ...options,
    headers: key ? { ...headers, "X-Api-Key": key } : headers,
    signal: signal ?? AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    throw new Problem(response.status, problem, Number(response.headers.get("Retry-After")) || 0);
  }
  return response;
}

/** Return the JSON of a page, the queries of its links by their relation, and its language if it is told. */
export async function page(url) {
  const response = await request(url);
  return {
    items: await response.json(),
    links: links(response.headers.get("Link") ?? ""),
    language: response.headers.get("Content-Language"),
  };
}

function links(header) {
  const found = {};
  for (const [, target, relations] of header.matchAll(/<[^>]*\?([^>]*)>\s*;\s*rel="?([^";,]+)/g)) {
    for (const relation of relations.split(" ")) {
      found[relation] ??= new URLSearchParams(target);
    }
  }
  return found;
}
