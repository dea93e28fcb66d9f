// The switch: sends traffic to both endpoints at the same moments, for as long as it is on.

import { Arrivals } from "./arrivals.js";
import { chart } from "./chart.js";
import { Lane } from "./lane.js";
import { tally } from "./tally.js";

const FRAME = 100;
/// For those who asked for less motion, and while nothing moves.
const CALM_FRAME = 1000;

export function trafficSwitch() {
  const lanes = [
    // Calls without credentials have connections of their own in today's browsers.
    new Lane("naive", "/naive/process", "omit"),
    new Lane("resilient", "/process", "same-origin"),
  ];
  const drawing = chart(document.getElementById("chart"));
  const table = tally(document.querySelector("[data-testid=tally]"));
  const button = document.getElementById("traffic");
  const rate = document.getElementById("rate");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const arrivals = new Arrivals((now) => lanes.forEach((lane) => lane.arrive(now)));

  function turn(on) {
    button.setAttribute("aria-pressed", String(on));
    button.textContent = on ? "Stop traffic" : "Send traffic";
    if (on) arrivals.start(Number(rate.value));
    else arrivals.stop();
  }

  function frame() {
    const now = performance.now();
    lanes.forEach((lane) => lane.age(now));
    const calls = lanes.flatMap((lane) => lane.calls);
    if (!document.hidden) {
      drawing.show(calls, now);
      table.show(calls, now);
    }
    setTimeout(frame, calls.length === 0 || calm.matches ? CALM_FRAME : FRAME);
  }

  button.addEventListener("click", () => turn(button.getAttribute("aria-pressed") === "false"));
  rate.addEventListener("change", () => {
    if (button.getAttribute("aria-pressed") === "true") arrivals.start(Number(rate.value));
  });
  frame();
  return { bound: drawing.bound };
}
