// A share as a bar, for tables.

import { svg } from "./dom.js";

/** A bar as long as `now` of `most`, and a mark where it should end; null has none. */
export function bar(now, expected, most) {
  const at = (share) => `${((100 * share) / most).toFixed(2)}%`;
  return svg("svg", { "aria-hidden": "true", class: "bars" },
    now ? svg("rect", { width: at(now), height: "100%" }) : null,
    expected === null ? null : svg("line", { class: "mark", x1: at(expected), x2: at(expected), y1: 0, y2: "100%" }));
}
