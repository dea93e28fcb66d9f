// What was broken, drawn behind the lanes: a shade through both, and above them a bar per service that says what.

import { svg } from "../svg.js";
import { words as named } from "../words.js";

const ROW = 15;
/// Pixels that the words of a bar take at most; where a bar begins closer to the edge, they begin before it.
const WORDS = 150;

/// How high the bars are together.
export function stripOf(faults) {
  return services(faults).length * ROW;
}

export function drawFaults(faults, scale, lanes, now) {
  const order = services(faults);
  return faults.flatMap(({ service, how, from, to }) => {
    const [x1, x2] = [scale.x((now - from) / 1000), scale.x((now - (to ?? now)) / 1000)];
    const y = order.indexOf(service) * ROW;
    const width = Math.max(x2 - x1, 1.5);
    const goesOn = faults.some((other) => other.service === service && other.to === from);
    const words = svg("text", { class: "what", x: Math.max(0, Math.min(x1, scale.right - WORDS)), y: y + 8 });
    words.textContent = `${named(service)}: ${how.said}`;
    return [
      svg("rect", { class: "shade", x: x1, y, width, height: lanes.resilient.bottom - y }),
      svg("rect", { class: `bar ${how.kind}`, x: x1, y: y + 10, width, height: 4 }),
      // Once for what follows upon another.
      ...(goesOn ? [] : [words]),
    ];
  });
}

function services(faults) {
  return [...new Set(faults.map(({ service }) => service))];
}
