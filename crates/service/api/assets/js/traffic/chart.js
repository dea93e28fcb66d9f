// Both sides in a lane each over one time axis: a mark per call, a stem for as long as there is no answer, and what was
// broken meanwhile as shaded windows through both.

import { set, svg } from "../svg.js";
import { drawFaults, stripOf } from "./shades.js";
import { latency } from "./lane.js";
import { mark, named } from "./marks.js";
import { Scale, SECONDS_SHOWN } from "./scale.js";
import { tip } from "./tip.js";

const LANE = 118;
const GAP = 20;
const SIDES = ["naive", "resilient"];

export function chart(place) {
  const layers = ["shades", "axes", "calls"].map((name) => svg("g", { class: name }));
  const label = "Latency of each call over the last minute, naive above resilient. The table holds the same in figures.";
  const root = svg("svg", { role: "img", "aria-label": label }, ...layers);
  const hover = tip(place);
  let bound = null;
  place.append(root);

  return {
    /// The published bound, in seconds.
    bound(seconds) {
      bound = seconds ?? null;
    },
    show(calls, faults, now) {
      const slowest = Math.max(0, ...calls.map((call) => latency(call, now)));
      const scale = new Scale(place.clientWidth, slowest);
      const lanes = lanesBelow(stripOf(faults));
      const height = lanes.resilient.bottom + 24;
      const placed = calls.map((call) => ({ call, ...at(call, scale, lanes[call.side], now) }));
      set(root, { viewBox: `0 0 ${place.clientWidth} ${height}`, width: place.clientWidth, height });
      layers[0].replaceChildren(...drawFaults(faults, scale, lanes, now));
      layers[1].replaceChildren(...drawAxes(scale, lanes, bound));
      layers[2].replaceChildren(...placed.flatMap((it) => drawCall(it, lanes[it.call.side])));
      hover.over(placed.map(({ call, x, y }) => ({ x, y, text: told(call, now) })));
    },
  };
}

function lanesBelow(strip) {
  const naive = { top: strip + GAP, bottom: strip + GAP + LANE };
  return { naive, resilient: { top: naive.bottom + GAP + 6, bottom: naive.bottom + GAP + 6 + LANE } };
}

function at(call, scale, lane, now) {
  return { x: scale.x((now - call.due) / 1000), y: scale.y(latency(call, now) ?? 0, lane) };
}

function drawCall({ call, x, y }, lane) {
  const shape = mark(call.side, call.outcome);
  if (!shape) return [];
  set(shape, { transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` });
  const hangs = call.outcome === "waiting" || call.outcome === "given_up";
  return hangs ? [line(`stem ${call.outcome}`, x, lane.bottom, x, y), shape] : [shape];
}

function told(call, now) {
  const took = latency(call, now);
  const ago = `${((now - call.due) / 1000).toFixed(0)} s ago`;
  const how = took === null ? "" : `, ${call.end === null ? "for" : "after"} ${took.toFixed(2)} s`;
  return `${call.side}, ${ago}: ${named(call.outcome)}${how}`;
}

function drawAxes(scale, lanes, bound) {
  const rows = SIDES.flatMap((side) => [
    ...scale.rows.flatMap((tick) => [
      line("grid", scale.left, scale.y(tick, lanes[side]), scale.right, scale.y(tick, lanes[side])),
      text("tick", scale.left - 6, scale.y(tick, lanes[side]) + 4, `${tick} s`),
    ]),
    text("side", scale.left, lanes[side].top - 7, side),
  ]);
  const columns = scale.columns.map((ago) =>
    text(ago === SECONDS_SHOWN ? "tick first" : ago === 0 ? "tick" : "tick middle", scale.x(ago),
      lanes.resilient.bottom + 17, ago === 0 ? "now" : `${ago} s ago`),
  );
  return [...rows, ...columns, ...drawBound(scale, lanes.resilient, bound)];
}

function drawBound(scale, lane, bound) {
  if (bound === null) return [];
  const promise = `/process answers within ${bound} s`;
  if (bound > scale.most) return [text("bound", scale.right, lane.top - 7, `↑ ${promise}`)];
  const y = scale.y(bound, lane);
  return [line("bound", scale.left, y, scale.right, y), text("bound", scale.right, y - 5, promise)];
}

function line(name, x1, y1, x2, y2) {
  return svg("line", { class: name, x1, y1, x2, y2 });
}

function text(name, x, y, words) {
  return svg("text", { class: name, x, y }, words);
}
