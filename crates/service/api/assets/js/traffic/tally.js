// The chart in figures, and its legend: per side, how many calls ended how, and how long they took.

import { seconds } from "../format.js";
import { svg } from "../svg.js";
import { latency } from "./lane.js";
import { OUTCOMES, mark } from "./marks.js";

const SIDES = ["naive", "resilient"];

export function tally(table) {
  const body = table.querySelector("tbody");
  const counts = OUTCOMES.map(([outcome, name]) => row(body, name, SIDES.map((side) => legend(side, outcome))));
  const median = row(body, "median latency", [null, null]);
  const slowest = row(body, "slowest, so far", [null, null]);
  SIDES.forEach((side, at) => (counts.forEach((cells, of) => (cells[at].dataset.testid = `${side}-${OUTCOMES[of][0]}`))));

  return {
    show(calls, now) {
      SIDES.forEach((side, at) => {
        const own = calls.filter((call) => call.side === side);
        const sent = own.filter((call) => call.sent !== null);
        const took = sent.map((call) => latency(call, now)).sort((a, b) => a - b);
        OUTCOMES.forEach(([outcome], of) => say(counts[of][at], own.filter((call) => call.outcome === outcome).length));
        say(median[at], took.length ? seconds(took[took.length >> 1]) : "–");
        say(slowest[at], took.length ? seconds(took.at(-1)) : "–");
      });
    },
  };
}

function row(body, name, marks) {
  const line = document.createElement("tr");
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = name;
  line.append(head);
  const figures = marks.map((it) => {
    const cell = document.createElement("td");
    const figure = document.createElement("span");
    figure.textContent = "–";
    cell.append(...(it ? [it] : []), figure);
    line.append(cell);
    return figure;
  });
  body.append(line);
  return figures;
}

function legend(side, outcome) {
  const shape = mark(side, outcome);
  return shape && svg("svg", { viewBox: "-7 -7 14 14", width: 14, height: 14, "aria-hidden": "true" }, shape);
}

/// Only what differs, or a reader's selection would be lost ten times a second.
function say(place, figure) {
  const text = String(figure);
  if (place.textContent !== text) place.textContent = text;
}
