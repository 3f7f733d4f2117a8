// The chosen task over time.

import { byId } from "./dom.js";
import { percent, rate, seconds } from "./format.js";
import { LineChart } from "./line_chart.js";
import { linear, logarithmic } from "./scale.js";

const LATE_MS = 2000;
const PERCENTILES = ["p50", "p95", "p99"];

export class Charts {
  #rate = new LineChart({ title: "Tickets per second", lines: ["in"], format: rate, scale: (values) => linear(values) });
  #shares = new LineChart({ title: "Coverage and judge share", lines: ["coverage", "judge share"],
    format: percent, scale: () => linear([], 0, 1) });
  #workers = latency("Latency of the workers’ labels");
  #judge = latency("Latency of the judge’s labels");

  constructor() {
    byId("charts").append(this.#rate.element, this.#shares.element, this.#workers.element, this.#judge.element);
  }

  /** `clock` is `latency` or `service_latency`; `now` is when this was asked, in ms. */
  show({ starts_ms: times, step_s: step, windows }, clock, now) {
    const over = (read) => windows.map((window) => read(window) ?? null);
    const parts = (source) => PERCENTILES.map((part) => over((window) => window[clock][source]?.[part]));
    const expected = windows.findLast((window) => window.coverage.reference !== null);
    const draw = (chart, lines, reference = null) => chart.show({ times, step, lines, reference });
    // A window that has not ended, or of which the last second is still on its way, would look like a fall.
    const whole = (place) => now - times[place] >= 1000 * step + LATE_MS;
    draw(this.#rate, [windows.map((window, place) => (whole(place) ? window.tickets_per_s : null))]);
    draw(this.#shares, [over((window) => window.coverage.value), over((window) => window.judge_share.value)],
      expected?.coverage.reference ?? null);
    draw(this.#workers, parts("workers"));
    draw(this.#judge, parts("judge"));
  }
}

function latency(title) {
  return new LineChart({ title, lines: PERCENTILES, format: seconds, scale: logarithmic });
}
