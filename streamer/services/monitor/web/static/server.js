// Asks the monitor, with the token if there is one.

import { token } from "./token.js";

/** What the server refused: `status`, and its own line as the message. */
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** The answer to a GET; raises `Refused`, or TypeError where nobody answers. */
export async function open(path, signal) {
  const held = token();
  const headers = held ? { Authorization: `Bearer ${held}` } : {};
  const answer = await fetch(path, { headers, signal, cache: "no-store", credentials: "omit" });
  if (!answer.ok) throw new Refused(answer.status, await reason(answer));
  return answer;
}

/** The same, decoded. */
export async function get(path, signal) {
  return (await open(path, signal)).json();
}

async function reason(answer) {
  try {
    return (await answer.json()).error;
  } catch {
    return `the monitor answered ${answer.status}`;
  }
}
