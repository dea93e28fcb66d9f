// The tile of one dependency: its breaker, and what the breaker judges by.

import { factsOf } from "./facts.js";
import { percent, seconds } from "./format.js";
import { set } from "./svg.js";
import { words } from "./words.js";

const GLYPHS = {
  closed: "M-5 0H5",
  open: "M-5 0H-1.5M1.5 0H5M-3 4L3-4",
  half_open: "M-5 0H-2M-.8 0H.8M2 0H5",
  unknown: "M0-3V1M0 4V4.1",
};

export function dependencyTile(name, title) {
  const tile = document.getElementById("dependency").content.cloneNode(true).firstElementChild;
  const heading = tile.querySelector("h2");
  const word = tile.querySelector(".word");
  heading.textContent = title;
  heading.id = `${name}-title`;
  tile.setAttribute("aria-labelledby", heading.id);
  word.dataset.testid = `breaker-${name}`;
  tile.querySelectorAll("[data-fact]").forEach((it) => (it.dataset.testid = `${name}-${it.dataset.fact}`));
  document.getElementById("dependencies").append(tile);
  const facts = factsOf(tile);

  function breaker(state) {
    tile.dataset.breaker = state;
    set(tile.querySelector(".glyph path"), { d: GLYPHS[state] });
    word.textContent = words(state);
  }

  breaker("unknown");
  return {
    show({ status, latency }, policies) {
      const now = status.dependencies[name];
      const limits = policies?.[name];
      breaker(now.breaker);
      rates(facts, now, limits);
      facts.say("flight", `${now.in_flight} of ${now.limit}`);
      facts.measure("flight", now.in_flight / now.limit);
      facts.say("p50", seconds(latency[name].p50_seconds));
      facts.say("p99", seconds(latency[name].p99_seconds));
      facts.say("budget", `${now.retry_budget.toFixed(1)} tokens`);
      facts.say("error", now.last_error === null ? "none yet" : words(now.last_error));
      facts.say("probe", nextProbe(now));
    },
    forget() {
      breaker("unknown");
      facts.forget();
    },
  };
}

function rates(facts, now, limits) {
  const against = (share, limit) => (limit === undefined ? "" : `, opens at ${percent(limit)}`);
  facts.say("failures", percent(now.failure_rate) + against(now.failure_rate, limits?.failures));
  facts.measure("failures", now.failure_rate, limits?.failures);
  facts.say("slow", percent(now.slow_call_rate) + against(now.slow_call_rate, limits?.slow));
  facts.measure("slow", now.slow_call_rate, limits?.slow);
}

function nextProbe({ breaker, retry_after_seconds }) {
  if (breaker === "half_open") return "under way";
  if (breaker === "closed") return "not needed";
  return retry_after_seconds > 0 ? `in ${retry_after_seconds.toFixed(1)} s` : "with the next call";
}
