// Where the time went, as a bar and in words.

import { el, foreign, svg } from "./dom.js";
import { percent, seconds } from "./format.js";

const COLOURS = 6;

/** `parts` are {on, seconds} in their order. */
export function spent(parts) {
  const all = parts.reduce((sum, part) => sum + part.seconds, 0);
  let from = 0;
  const bars = parts.map((part, place) => {
    const share = all ? part.seconds / all : 0;
    const bar = svg("rect", { class: `part-${place % COLOURS}`, x: `${100 * from}%`, width: `${100 * share}%`, height: "100%" });
    from += share;
    return bar;
  });
  return el("div", { class: "spent" },
    el("p", {}, `It took ${seconds(all)}:`),
    svg("svg", { "aria-hidden": "true" }, bars),
    el("ol", {}, parts.map((part, place) => el("li", {}, swatch(place), foreign(part.on),
      ` ${seconds(part.seconds)}${all ? ` (${percent(part.seconds / all)})` : ""}`))));
}

function swatch(place) {
  return svg("svg", { class: "swatch", viewBox: "0 0 1 1", "aria-hidden": "true" },
    svg("rect", { class: `part-${place % COLOURS}`, width: 1, height: 1 }));
}
