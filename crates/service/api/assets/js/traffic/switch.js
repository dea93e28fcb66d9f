// The switch: sends traffic to both endpoints at the same moments, for as long as it is on.

import { Arrivals } from "./arrivals.js";
import { chart } from "./chart.js";
import { Faults } from "./faults.js";
import { Lane } from "./lane.js";
import { rates } from "./rates.js";
import { tally } from "./tally.js";

const FRAME = 100;
/// For those who asked for less motion, and while nothing moves.
const CALM_FRAME = 1000;

/// `shown` is told the calls of the last minute whenever they are drawn.
export function trafficSwitch(shown) {
  const lanes = [
    // Calls without credentials have connections of their own in today's browsers.
    new Lane("naive", "/naive/process", "omit"),
    new Lane("resilient", "/process", "same-origin"),
  ];
  const faults = new Faults();
  const drawing = chart(document.getElementById("chart"));
  const table = tally(document.querySelector("[data-testid=tally]"));
  const button = document.getElementById("traffic");
  const rate = document.getElementById("rate");
  const offered = rates(rate);
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const arrivals = new Arrivals((now) => lanes.forEach((lane) => lane.arrive(now)));

  const isOn = () => button.getAttribute("aria-pressed") === "true";

  function turn(on) {
    button.setAttribute("aria-pressed", String(on));
    button.textContent = on ? "Stop traffic" : "Send traffic";
    document.body.dataset.traffic = on ? "on" : "off";
    if (on) arrivals.start(Number(rate.value));
    else arrivals.stop();
  }

  function frame() {
    const now = performance.now();
    lanes.forEach((lane) => lane.age(now));
    const calls = lanes.flatMap((lane) => lane.calls);
    const windows = faults.since(now);
    if (!document.hidden) {
      offered.offer(calls, now);
      drawing.show(calls, windows, now);
      table.show(calls, now);
      shown(calls, now);
    }
    const still = calls.length === 0 && windows.length === 0;
    setTimeout(frame, still || calm.matches ? CALM_FRAME : FRAME);
  }

  button.addEventListener("click", () => turn(!isOn()));
  rate.addEventListener("change", () => {
    if (isOn()) arrivals.start(Number(rate.value));
  });
  frame();
  return {
    bound: drawing.bound,
    /// How a service is broken now; null: it is not.
    broken: (service, how) => faults.see(service, how, performance.now()),
    turnOn: () => turn(true),
  };
}
