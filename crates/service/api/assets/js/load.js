// What the service does about more than can be done, and the addresses it calls the worker at.

import { factsOf } from "./facts.js";
import { count, seconds } from "./format.js";
import { words } from "./words.js";

export function loadTile() {
  const tile = document.querySelector(".load");
  const facts = factsOf(tile);
  const list = document.getElementById("endpoints");

  return {
    show({ status, load }) {
      const { worker } = status.dependencies;
      facts.say("limit", `${count(worker.limit)} at once`);
      facts.say("shed", shed(load.shed));
      facts.say("throttled", load.throttled > 0 ? count(load.throttled) : "none");
      facts.say("hedges", hedges(load.hedges));
      list.replaceChildren(...worker.endpoints.map(endpoint));
    },
    forget() {
      facts.forget();
      list.replaceChildren();
    },
  };
}

function shed(byUrgency) {
  const some = byUrgency.map((calls, urgency) => [calls, urgency]).filter(([calls]) => calls > 0);
  return some.length === 0 ? "none" : some.map(([calls, urgency]) => `${count(calls)} of u=${urgency}`).join(", ");
}

function hedges({ won, lost }) {
  return won + lost === 0 ? "none" : `${count(won)} of ${count(won + lost)} answered first`;
}

function endpoint({ address, breaker, ejected, latency_seconds }) {
  const item = document.createElement("li");
  const code = document.createElement("code");
  const state = document.createElement("span");
  code.textContent = address;
  state.className = ejected ? "ejected" : breaker;
  state.textContent = (ejected ? "ejected" : `breaker ${words(breaker)}`)
    + (latency_seconds === null ? "" : `, ${seconds(latency_seconds)}`);
  item.append(code, state);
  return item;
}
