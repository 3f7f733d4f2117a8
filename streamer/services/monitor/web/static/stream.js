// The monitor's events, for as long as the page is open.

import { Refused, open } from "./server.js";

const SILENT_MS = 10_000;
const LONGEST_S = 10;

/**
 * Follow /api/events: `on.event(kind, data)` for each, `on.lost(why, seconds)` before it tries again.
 * Returns only when the token is refused. Silence is a loss too: the state comes every second.
 */
export async function follow(on) {
  for (let tries = 0; ; tries += 1) {
    const stop = new AbortController();
    let watch = setTimeout(() => stop.abort(), SILENT_MS);
    try {
      const answer = await open("/api/events", stop.signal);
      for await (const { kind, data } of events(answer.body)) {
        clearTimeout(watch);
        watch = setTimeout(() => stop.abort(), SILENT_MS);
        tries = 0;
        on.event(kind, data);
      }
      throw new Error("the monitor ended the connection");
    } catch (error) {
      if (error instanceof Refused && error.status === 401) return;
      const wait = Math.min(LONGEST_S, 2 ** Math.min(tries, 4));
      on.lost(said(error), wait);
      await pause(wait);
    } finally {
      clearTimeout(watch);
      stop.abort();
    }
  }
}

/** Decoded server-sent events: a line `event:`, a line `data:` with JSON, and an empty line. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let left = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (left + value).split("\n\n");
    left = parts.pop();
    for (const part of parts) yield event(part);
  }
}

function event(part) {
  const fields = Object.fromEntries(part.split("\n").map((line) => {
    const colon = line.indexOf(": ");
    return [line.slice(0, colon), line.slice(colon + 2)];
  }));
  return { kind: fields.event, data: JSON.parse(fields.data) };
}

function said(error) {
  if (error instanceof Refused) return error.message;
  if (error.name === "AbortError") return "nothing was heard for 10 s";
  return error instanceof TypeError ? "the monitor does not answer" : error.message;
}

function pause(seconds) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 1000 * seconds);
    addEventListener("online", () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}
