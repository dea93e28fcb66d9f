// One side's way to the API. Calls wait in this browser for one of few connections, and are timed from when they are sent.
//
// A browser opens six connections to a host at most, and the stream of events holds one. Four for the naive side leave one
// to the stream and one to the resilient side even where both sides share the six, and all of that side's naive calls hang.

import { send } from "./call.js";

export const CONNECTIONS = 4;
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
    const call = { side: this.#side, due, sent: null, end: null, outcome: "queued", abort: new AbortController() };
    this.calls.push(call);
    if (this.#waiting.length >= MOST_WAITING) return finish(call, "unsent", due);
    this.#waiting.push(call);
    this.#fill();
  }

  /// Gives up what has waited too long, forgets what is too old.
  age(now) {
    const late = (call) => call.end === null && now - (call.sent ?? call.due) > PATIENCE;
    this.calls.filter(late).forEach((call) => {
      finish(call, call.sent === null ? "unsent" : "given_up", now);
      call.abort.abort();
    });
    this.#waiting = this.#waiting.filter((call) => call.end === null);
    this.calls = this.calls.filter((call) => now - call.due < WINDOW);
  }

  #fill() {
    while (this.#underWay < CONNECTIONS && this.#waiting.length > 0) this.#run(this.#waiting.shift());
  }

  async #run(call) {
    this.#underWay += 1;
    call.sent = performance.now();
    call.outcome = "waiting";
    const outcome = await send(this.#path, this.#credentials, call.abort.signal);
    if (call.end === null) finish(call, outcome, performance.now());
    this.#underWay -= 1;
    this.#fill();
  }
}

/// Seconds since it was sent, so far or until its end; null while it is not sent.
export function latency(call, now) {
  return call.sent === null ? null : ((call.end ?? now) - call.sent) / 1000;
}

function finish(call, outcome, now) {
  call.outcome = outcome;
  call.end = now;
}
