// Lines over time, to be read by eye, by keyboard and as a table.

import { el, fill, foreign, say, svg } from "./dom.js";
import { axisTime, time } from "./format.js";
import { table } from "./table.js";

const LEFT = 52;
const RIGHT = 8;
const TOP = 8;
const BOTTOM = 20;
const KINDS = ["first", "second", "third"];

/**
 * One figure. `lines` are names; `format` writes a value with its unit; `scale` is made of all values.
 * `show` takes times in ms and, for each line, values or null, and a value that is to be expected.
 */
export class LineChart {
  #title;
  #format;
  #scale;
  #drawing = svg("svg", { "aria-hidden": "true" });
  #empty = el("p", { class: "empty" }, "no data yet");
  #plot;
  #readings;
  #when = el("span", { class: "soft" });
  #details = el("details", {}, el("summary", {}, "as a table"), el("div"));
  #data = { times: [], lines: [], reference: null, step: 0 };
  #place = null;

  constructor({ title, lines, format, scale }) {
    this.#title = title;
    this.#format = format;
    this.#scale = scale;
    this.#readings = lines.map((name, place) => ({ name, value: el("b"), kind: KINDS[place] }));
    this.#plot = el("div", { class: "plot", tabindex: 0, role: "slider", "aria-label": `${title}, over time`,
      "aria-valuemin": 0, "aria-valuemax": 0, "aria-valuenow": 0, "aria-valuetext": "no data yet" }, this.#drawing, this.#empty);
    this.element = el("figure", { class: "chart" },
      el("figcaption", {}, el("h3", {}, title), el("ul", { class: "legend" }, this.#readings.map(entry), el("li", {}, this.#when))),
      this.#plot, this.#details);
    this.#listen();
  }

  show(data) {
    this.#data = data;
    if (this.#place !== null && this.#place >= data.times.length) this.#place = null;
    this.#draw();
  }

  #listen() {
    this.#plot.addEventListener("pointermove", (event) => this.#point(event));
    this.#plot.addEventListener("pointerleave", () => this.#move(null));
    this.#plot.addEventListener("blur", () => this.#move(null));
    this.#plot.addEventListener("keydown", (event) => this.#key(event));
    this.#details.addEventListener("toggle", () => this.#tabulate());
    new ResizeObserver(() => this.#draw()).observe(this.#plot);
  }

  #key(event) {
    const last = this.#data.times.length - 1;
    const now = this.#place ?? last;
    const page = Math.max(1, Math.round(last / 10));
    const to = { ArrowLeft: now - 1, ArrowDown: now - 1, ArrowRight: now + 1, ArrowUp: now + 1,
      PageDown: now - page, PageUp: now + page, Home: 0, End: last, Escape: null }[event.key];
    if (to === undefined || last < 0) return;
    event.preventDefault();
    this.#move(to === null ? null : Math.min(last, Math.max(0, to)));
  }

  #point(event) {
    const { times } = this.#data;
    if (!times.length) return;
    const { left, width } = this.#plot.getBoundingClientRect();
    const across = this.#across(width);
    const away = (place) => Math.abs(across(times[place]) - (event.clientX - left));
    this.#move(times.reduce((best, _, place) => (away(place) < away(best) ? place : best), 0));
  }

  #move(place) {
    if (place === this.#place) return;
    this.#place = place;
    this.#draw();
  }

  #draw() {
    const { times, lines } = this.#data;
    const any = lines.some((values) => values.some((value) => value !== null));
    this.#empty.hidden = any;
    fill(this.#drawing, any ? this.#shapes() : []);
    this.#read(any ? this.#place ?? latest(lines) : null);
    this.#tabulate();
  }

  #shapes() {
    const { times, lines, reference, step } = this.#data;
    const width = this.#plot.clientWidth;
    const height = this.#plot.clientHeight;
    const scale = this.#scale([...lines.flat(), reference].filter((value) => value !== null));
    const last = times.length - 1;
    const across = this.#across(width);
    const x = (place) => across(times[place]);
    const y = (value) => height - BOTTOM - (height - TOP - BOTTOM) * Math.min(1, Math.max(0, scale.at(value)));
    const level = (value) => ({ x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) });
    return [
      scale.ticks.map((tick) => [
        svg("line", { class: "grid", ...level(tick) }),
        svg("text", { x: LEFT - 6, y: y(tick) + 4, "text-anchor": "end" }, round(this.#format(tick))),
      ]),
      marks(times.length, width).map((place) =>
        svg("text", { x: x(place), y: height - 4, "text-anchor": place === 0 ? "start" : place === last ? "end" : "middle" },
          axisTime(times[place], (times[last] - times[0]) / 1000))),
      reference === null ? null : svg("line", { class: "reference", ...level(reference) }),
      lines.map((values, line) => svg("path", { class: KINDS[line], d: path(values, times, step, x, y) })),
      this.#place === null ? null : svg("line", { class: "cursor", x1: x(this.#place), x2: x(this.#place), y1: TOP, y2: height - BOTTOM }),
    ].flat(2);
  }

  /** From a time to its place from the left. */
  #across(width) {
    const { times } = this.#data;
    const span = Math.max(1, times.at(-1) - times[0]);
    return (at) => LEFT + ((width - LEFT - RIGHT) * (at - times[0])) / span;
  }

  #read(place) {
    const { times, lines, reference } = this.#data;
    const values = this.#readings.map((_, line) => (place === null ? null : lines[line][place]));
    this.#readings.forEach(({ value }, line) => say(value, this.#format(values[line])));
    const expected = reference === null ? "" : `expected ${this.#format(reference)}`;
    const at = this.#place === null ? "" : `at ${time(times[place])}`;
    say(this.#when, [expected, at].filter(Boolean).join(" · "));
    const said = this.#readings.map(({ name }, line) => `${name} ${this.#format(values[line])}`).join(", ");
    this.#plot.setAttribute("aria-valuemax", Math.max(0, times.length - 1));
    this.#plot.setAttribute("aria-valuenow", place ?? 0);
    this.#plot.setAttribute("aria-valuetext", place === null ? "no data yet" : `${time(times[place])}: ${said}`);
  }

  #tabulate() {
    if (!this.#details.open) return;
    const { times, lines } = this.#data;
    const columns = [{ name: "from" }, ...this.#readings.map(({ name }) => ({ name, number: true }))];
    const rows = times.map((at, place) => [time(at), ...lines.map((values) => this.#format(values[place]))]);
    fill(this.#details.lastChild, table(`${this.#title}, the newest first`, columns, rows.reverse()));
  }
}

function entry({ name, value, kind }) {
  const line = svg("line", { class: kind, x1: 0, x2: 18, y1: 4, y2: 4 });
  return el("li", {}, svg("svg", { class: "key", viewBox: "0 0 18 8", "aria-hidden": "true" }, line), foreign(name), " ", value);
}

/** A path that lifts the pen where there is no value; a value alone becomes a dot. */
function path(values, times, step, x, y) {
  let made = "";
  let before = -Infinity;
  values.forEach((value, place) => {
    if (value === null) return;
    const joined = times[place] - before < 1500 * step;
    made += `${joined ? "L" : "M"}${x(place).toFixed(1)} ${y(value).toFixed(1)}${joined ? "" : "h0"}`;
    before = times[place];
  });
  return made;
}

/** Marks are round numbers, and need no decimals that are zero. */
function round(text) {
  return text.replace(/\.0(?!\d)/, "");
}

/** The last place at which there is any value. */
function latest(lines) {
  return Math.max(...lines.map((values) => values.findLastIndex((value) => value !== null)));
}

/** Which places on the time axis get their time written. */
function marks(length, width) {
  if (length < 2) return length ? [0] : [];
  const parts = Math.min(width < 420 ? 2 : 4, length - 1);
  return Array.from({ length: parts + 1 }, (_, part) => Math.round((part * (length - 1)) / parts));
}
