// The tile of one dependency: its breaker, and what the breaker judges by.

import { factsOf } from "./facts.js";
import { percent, seconds } from "./format.js";
import { set } from "./svg.js";
import { words } from "./words.js";

const GLYPHS = {
  closed: "M-6 0H6",
  open: "M-6 2.5H-2.5L3-3.5M2.5 2.5H6",
  half_open: "M-6 0H-3M-.5 0H.5M3 0H6",
  unknown: "M0-3V1M0 4V4.1",
};

const MEANINGS = {
  closed: "Calls pass.",
  open: "Calls are refused at once, without touching it.",
  half_open: "A few calls test it, the others are refused.",
  unknown: "",
};

/// `ask` has it called, where nobody called lately.
export function dependencyTile(name, title, ask) {
  const tile = document.getElementById("dependency").content.cloneNode(true).firstElementChild;
  const heading = tile.querySelector("h2");
  const word = tile.querySelector(".word");
  heading.textContent = title;
  heading.id = `${name}-title`;
  tile.setAttribute("aria-labelledby", heading.id);
  tile.dataset.testid = `dependency-${name}`;
  word.dataset.testid = `breaker-${name}`;
  tile.querySelector(".meaning").dataset.testid = `meaning-${name}`;
  tile.querySelectorAll("[data-fact]").forEach((it) => (it.dataset.testid = `${name}-${it.dataset.fact}`));
  document.getElementById("dependencies").append(tile);
  const facts = factsOf(tile);

  function breaker(state, why, asked) {
    tile.dataset.breaker = state;
    set(tile.querySelector(".glyph path"), { d: GLYPHS[state] });
    word.textContent = words(state);
    tile.querySelector(".meaning").textContent = MEANINGS[state] + (why ? ` Why it opened: ${words(why)}.` : "");
    tile.querySelector(".quiet").hidden = asked;
  }

  tile.querySelector(".quiet button").addEventListener("click", ask);
  breaker("unknown", null, true);
  return {
    show({ status, latency }, policies) {
      const now = status.dependencies[name];
      const limits = policies?.[name];
      // An open breaker that nobody calls is judged by what opened it.
      breaker(now.breaker, now.opened_because, now.failure_rate !== null || now.breaker !== "closed");
      rates(tile, facts, now, limits);
      facts.say("flight", `${now.in_flight} of ${now.limit}`);
      facts.measure("flight", now.in_flight / now.limit);
      facts.say("p50", seconds(latency[name].p50_seconds));
      facts.say("p99", seconds(latency[name].p99_seconds));
      facts.say("budget", `${now.retry_budget.toFixed(1)} tokens`);
      facts.say("error", now.last_error === null ? "none yet" : words(now.last_error));
      facts.say("probe", nextProbe(now));
    },
    forget() {
      breaker("unknown", null, true);
      facts.forget();
    },
  };
}

function rates(tile, facts, now, limits) {
  const against = (limit) => (limit === undefined ? "" : `, opens at ${percent(limit)}`);
  facts.say("failures", percent(now.failure_rate) + against(limits?.failures));
  facts.measure("failures", now.failure_rate, limits?.failures);
  facts.say("slow", percent(now.slow_call_rate) + against(limits?.slow));
  facts.measure("slow", now.slow_call_rate, limits?.slow);
  tile.querySelector(".slow").textContent = limits === undefined ? "Slow" : `Slow, ≥ ${limits.slowCall} s`;
}

function nextProbe({ breaker, retry_after_seconds }) {
  if (breaker === "half_open") return "under way";
  if (breaker === "closed") return "not needed";
  return retry_after_seconds > 0 ? `in ${retry_after_seconds.toFixed(1)} s` : "with the next call";
}
