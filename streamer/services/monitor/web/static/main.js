// The page: what the monitor tells, shown where it belongs.

import { Alarms } from "./alarms.js";
import { byId, say } from "./dom.js";
import { time } from "./format.js";
import { headline } from "./headline.js";
import { Newest } from "./newest.js";
import { processes } from "./processes.js";
import { Search } from "./search.js";
import { follow } from "./stream.js";
import { TaskOverTime } from "./task_over_time.js";
import { Tasks } from "./tasks.js";
import { ask, needed, token } from "./token.js";

const search = new Search();
const alarms = new Alarms();
const newest = new Newest((id) => search.find(id));
const overTime = new TaskOverTime();
const tasks = new Tasks((name) => overTime.choose(name));
let heard = null;

const show = {
  state(state) {
    heard = state.at_ms;
    connection("live", `live, ${time(heard)}`);
    headline(state, overTime.state);
    alarms.show(state.alarms);
    tasks.show(state.tasks);
    processes(state.processes);
    say(byId("note"), state.note);
  },
  tickets: (bundle) => newest.take(bundle),
  alarm: (alarm) => alarms.announce(alarm),
};

function connection(how, text) {
  const place = byId("connection");
  place.className = `connection ${how}`;
  say(place, text);
  document.body.classList.toggle("lost", how === "lost");
}

function lost(why, seconds) {
  const last = heard === null ? "" : `; what you see is of ${time(heard)}`;
  connection("lost", `not connected: ${why}${last}. Trying again in ${seconds} s`);
}

async function run() {
  let wrong = "";
  for (;;) {
    if ((needed() || wrong) && !token()) await ask(wrong);
    overTime.start();
    search.start();
    await follow({ event: (kind, data) => show[kind]?.(data), lost });
    overTime.stop();
    wrong = "That token was refused.";
    await ask(wrong);
  }
}

run();
