// The alarms that are raised, and a word to screen readers when that changes.

import { KINDS, identity, nameOf, raised } from "./alarm_kinds.js";
import { byId, el, foreign, say } from "./dom.js";
import { moment, seconds, several } from "./format.js";

/** The list of alarms; `announce` is for changes alone. */
export class Alarms {
  #items = new Map();
  #greeted = false;

  show(alarms) {
    const now = raised(alarms);
    const wanted = now.map((alarm) => this.#item(alarm));
    const list = byId("alarms-list");
    if (wanted.some((item, place) => list.children[place] !== item) || list.children.length !== wanted.length) {
      list.replaceChildren(...wanted);
    }
    for (const name of this.#items.keys()) {
      if (!now.some((alarm) => identity(alarm) === name)) this.#items.delete(name);
    }
    say(byId("alarms-none"), "No alarm is raised.");
    byId("alarms-none").hidden = now.length > 0;
    document.title = now.length ? `(${now.length}) streamer monitor` : "streamer monitor";
    if (!this.#greeted && now.length) say(byId("announcer"), `${several(now.length, "alarm")} raised`);
    this.#greeted = true;
  }

  announce(alarm) {
    const about = [alarm.task, alarm.subject].filter(Boolean).join(", ");
    const change = alarm.state === "raised" ? "Alarm" : "Cleared";
    say(byId("announcer"), `${change}: ${nameOf(alarm)}${about ? ` (${about})` : ""}. ${alarm.text}`);
  }

  #item(alarm) {
    const name = identity(alarm);
    const known = this.#items.get(name);
    const written = JSON.stringify(alarm);
    if (known?.written === written) return known.item;
    const item = drawn(alarm);
    this.#items.set(name, { written, item });
    return item;
  }
}

function drawn(alarm) {
  const about = [alarm.task, alarm.subject].filter(Boolean);
  const often = alarm.false_alarm_every_s;
  return el(
    "li",
    { class: `alarm ${alarm.severity === "critical" ? "critical" : "warning"}` },
    el("p", {},
      el("span", { class: "kind" }, `${alarm.severity === "critical" ? "Critical" : "Warning"}: ${nameOf(alarm)}`),
      about.map((part) => [" · ", foreign(part)]),
      el("span", { class: "since" }, ` · since ${moment(alarm.since)}`)),
    el("p", {}, foreign(alarm.text)),
    el("p", { class: "soft" },
      KINDS[alarm.kind] ? `${KINDS[alarm.kind].means} ` : null,
      often ? `By chance about every ${seconds(often)} on average, or less often. ` : null,
      "What to do: ", runbook(alarm.runbook)),
  );
}

/** A link where it is an address, else the name of the page. */
function runbook(page) {
  if (/^https?:\/\//i.test(page)) return el("a", { href: page, rel: "noreferrer" }, page);
  return el("code", {}, page);
}
