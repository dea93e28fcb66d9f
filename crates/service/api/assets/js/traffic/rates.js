// Which rates this browser can send: so many connections, each held for as long as the work takes.

import { CONNECTIONS, latency } from "./lane.js";

/// Seconds: the course's work. Nothing is known before the first call is done.
const COURSE = 2;
/// Of the connections' time; the rest is for what varies.
const USABLE = 0.8;

export function rates(select) {
  const named = [...select.options].map((option) => [option, option.textContent]);
  let work = COURSE;

  return {
    /// Offers what can be sent while naive calls take as long as they do.
    offer(calls, now) {
      const done = calls.filter((call) => call.side === "naive" && call.outcome === "done");
      const took = done.map((call) => latency(call, now)).sort((a, b) => a - b);
      if (took.length > 0) work = took[took.length >> 1];
      for (const [option, name] of named) {
        const cannot = Number(option.value) > (USABLE * CONNECTIONS) / work;
        if (option.disabled === cannot) continue;
        option.disabled = cannot;
        option.textContent = cannot ? `${name} (too fast for this browser)` : name;
      }
    },
  };
}
