// One side's way to the API. Calls wait for one of few connections and are timed from when they were due.
//
// A browser opens six connections to a host at most, and the stream of events holds one. Four for the naive side leave one
// to the stream and one to the resilient side even where both sides share the six, and all of that side's naive calls hang.

import { send } from "./call.js";

const CONNECTIONS = 4;
const MOST_WAITING = 200;
/// Milliseconds; then a call is given up.
const PATIENCE = 30_000;
/// Milliseconds that a call is shown.
export const WINDOW = 60_000;

export class Lane {
  /// Those of the last minute: bounded, as both the rate and the patience are.
  calls = [];
  #side;
  #path;
  #credentials;
  #waiting = [];
  #underWay = 0;

  constructor(side, path, credentials) {
    this.#side = side;
    this.#path = path;
    this.#credentials = credentials;
  }

  /// A call is due.
  arrive(due) {
    const call = { side: this.#side, due, end: null, outcome: "waiting", abort: new AbortController() };
    this.calls.push(call);
    if (this.#waiting.length >= MOST_WAITING) return finish(call, "given_up", due);
    this.#waiting.push(call);
    this.#fill();
  }

  /// Gives up what has waited too long, forgets what is too old.
  age(now) {
    const late = (call) => call.outcome === "waiting" && now - call.due > PATIENCE;
    this.calls.filter(late).forEach((call) => {
      finish(call, "given_up", now);
      call.abort.abort();
    });
    this.#waiting = this.#waiting.filter((call) => call.outcome === "waiting");
    this.calls = this.calls.filter((call) => now - call.due < WINDOW);
  }

  #fill() {
    while (this.#underWay < CONNECTIONS && this.#waiting.length > 0) this.#run(this.#waiting.shift());
  }

  async #run(call) {
    this.#underWay += 1;
    const outcome = await send(this.#path, this.#credentials, call.abort.signal);
    if (call.outcome === "waiting") finish(call, outcome, performance.now());
    this.#underWay -= 1;
    this.#fill();
  }
}

function finish(call, outcome, now) {
  call.outcome = outcome;
  call.end = now;
}
