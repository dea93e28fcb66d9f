// A bar for a share of a whole, with a mark where it becomes too much. The figures beside it say the same in words.

import { set, svg } from "./svg.js";

export function meter(place) {
  const fill = svg("rect", { class: "fill", height: 8, width: 0 });
  const mark = svg("line", { class: "mark", y1: -3, y2: 11, visibility: "hidden" });
  const track = svg("rect", { class: "track", width: 100, height: 8 });
  const box = { viewBox: "0 -3 100 14", preserveAspectRatio: "none", "aria-hidden": "true" };
  place.append(svg("svg", box, track, fill, mark));

  return {
    show(share, limit) {
      const known = share ?? 0;
      set(fill, { width: Math.min(known, 1) * 100 });
      place.classList.toggle("over", limit !== undefined && known >= limit);
      if (limit === undefined) return set(mark, { visibility: "hidden" });
      set(mark, { x1: limit * 100, x2: limit * 100, visibility: "visible" });
    },
  };
}
