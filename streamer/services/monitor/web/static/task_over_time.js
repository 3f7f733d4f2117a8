// The chosen task over a span that the reader sets, fetched anew every few seconds.

import { agreement } from "./agreement.js";
import { Charts } from "./charts.js";
import { Distribution } from "./distribution.js";
import { byId, el, fill, foreign } from "./dom.js";
import { segments } from "./segments.js";
import { get } from "./server.js";
import { sums } from "./sums.js";

const SPANS = [[900, "15 minutes"], [3600, "1 hour"], [21600, "6 hours"], [86400, "24 hours"], [604800, "7 days"]];
const FASTEST_MS = 5000;
const SLOWEST_MS = 60_000;

export class TaskOverTime {
  #charts = new Charts();
  #distribution = new Distribution();
  #task = null;
  #series = null;
  #timer = null;
  #on = false;
  #asked = 0;
  /** The state over the chosen span; null before the first answer. */
  state = null;

  constructor() {
    byId("span").append(...SPANS.map(([seconds, name]) => el("option", { value: seconds }, name)));
    byId("span").addEventListener("change", () => this.#fetch());
    document.addEventListener("visibilitychange", () => this.#fetch());
    byId("clock").addEventListener("change", () => this.#draw());
  }

  start() {
    this.stop();
    this.#on = true;
    this.#fetch();
  }

  stop() {
    this.#on = false;
    clearTimeout(this.#timer);
  }

  choose(task) {
    this.#task = task;
    this.#series = null;
    byId("task").hidden = false;
    fill(byId("task-title"), foreign(task));
    this.#fetch();
  }

  /** Now, and again in a while: the longer the span, the less changes. */
  #fetch() {
    clearTimeout(this.#timer);
    const share = 1000 * byId("span").value / 180;
    if (this.#on) this.#timer = setTimeout(() => this.#fetch(), Math.min(SLOWEST_MS, Math.max(FASTEST_MS, share)));
    if (this.#task !== null && !document.hidden) this.#ask();
  }

  async #ask() {
    const task = this.#task;
    const turn = ++this.#asked;
    const seconds = byId("span").value;
    try {
      const [state, series] = await Promise.all([
        get(`/api/state?seconds=${seconds}`),
        get(`/api/series?task=${encodeURIComponent(task)}&seconds=${seconds}`),
      ]);
      // A later question may have been answered first.
      if (turn !== this.#asked) return;
      this.state = state;
      this.#series = series;
      this.#draw();
    } catch {
      // The event stream tells that the connection is lost; this is asked again in a moment.
    }
  }

  #draw() {
    if (this.#series === null) return;
    this.#charts.show(this.#series, byId("clock").value, this.state.at_ms);
    const task = this.state.tasks[this.#task];
    if (task === undefined) return;
    this.#distribution.show(task);
    agreement(task);
    segments(task);
    sums(task);
  }
}
