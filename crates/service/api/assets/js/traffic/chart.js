// Both endpoints on the same axes: a mark per call, and a stem that grows for as long as there is no answer.

import { set, svg } from "../svg.js";
import { mark } from "./marks.js";
import { Scale, SECONDS_SHOWN } from "./scale.js";

const HEIGHT = 260;
/// Both sides call at the same moments: a little apart, both are seen.
const APART = { naive: -3, resilient: 3 };

export function chart(place) {
  const axes = svg("g", { class: "axes" });
  const calls = svg("g", { class: "calls" });
  const label = "Latency of each call over the last minute. The table holds the same in figures.";
  const root = svg("svg", { role: "img", "aria-label": label }, axes, calls);
  let bound = null;
  place.append(root);

  return {
    /// The published bound, in seconds.
    bound(seconds) {
      bound = seconds ?? null;
    },
    show(list, now) {
      const slowest = Math.max(0, ...list.map((call) => latency(call, now)));
      const scale = new Scale(place.clientWidth, HEIGHT, slowest);
      set(root, { viewBox: `0 0 ${place.clientWidth} ${HEIGHT}`, width: place.clientWidth, height: HEIGHT });
      axes.replaceChildren(...drawAxes(scale, bound));
      calls.replaceChildren(...list.flatMap((call) => drawCall(call, scale, now)));
    },
  };
}

function latency(call, now) {
  return ((call.end ?? now) - call.due) / 1000;
}

function drawCall(call, scale, now) {
  const x = scale.x((now - call.due) / 1000) + APART[call.side];
  const y = scale.y(latency(call, now));
  if (x < scale.left) return [];
  const shape = mark(call.side, call.outcome);
  set(shape, { transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` });
  const hangs = call.outcome === "waiting" || call.outcome === "given_up";
  return hangs ? [line(`stem ${call.outcome}`, x, scale.bottom, x, y), shape] : [shape];
}

function drawAxes(scale, bound) {
  const rows = scale.rows.flatMap((tick) => [
    line("grid", scale.left, scale.y(tick), scale.right, scale.y(tick)),
    text("tick", scale.left - 6, scale.y(tick) + 4, `${tick} s`),
  ]);
  const columns = scale.columns.map((ago) =>
    text(ago === SECONDS_SHOWN ? "tick first" : ago === 0 ? "tick" : "tick middle", scale.x(ago), scale.bottom + 17,
      ago === 0 ? "now" : `${ago} s ago`),
  );
  return [...rows, ...columns, ...drawBound(scale, bound)];
}

function drawBound(scale, bound) {
  if (bound === null) return [];
  const promise = `/process answers within ${bound} s`;
  if (bound > scale.most) return [text("bound", scale.left + 4, scale.top + 14, `↑ ${promise}`)];
  const y = scale.y(bound);
  return [line("bound", scale.left, y, scale.right, y), text("bound", scale.left + 4, y - 5, promise)];
}

function line(name, x1, y1, x2, y2) {
  return svg("line", { class: name, x1, y1, x2, y2 });
}

function text(name, x, y, words) {
  return svg("text", { class: name, x, y }, words);
}
