// The monitor's token: asked for in a form, kept by this tab alone, and never part of an address.

import { byId, say } from "./dom.js";

const KEY = "streamer.token";

export function token() {
  return sessionStorage.getItem(KEY);
}

/** Whether the server wants one. */
export function needed() {
  return "token" in document.documentElement.dataset;
}

/** Show the form, saying what was wrong with the last one, until there is a token. */
export function ask(wrong = "") {
  sessionStorage.removeItem(KEY);
  const form = byId("token");
  const field = byId("token-value");
  show(form, true);
  say(byId("token-error"), wrong);
  field.value = "";
  field.focus();
  return new Promise((resolve) => {
    form.onsubmit = (event) => {
      event.preventDefault();
      sessionStorage.setItem(KEY, field.value.trim());
      field.value = "";
      show(form, false);
      resolve();
    };
  });
}

function show(form, asking) {
  form.hidden = !asking;
  for (const part of document.querySelectorAll("[data-live]")) part.hidden = asking;
}
