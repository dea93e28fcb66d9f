// When calls are due: at a fixed rate that waits for no answer.

/// A browser slows the timers of a page that nobody sees; what it missed is left out, not sent in a burst.
const MISSED = 1000;

export class Arrivals {
  #arrive;
  #timer = null;

  constructor(arrive) {
    this.#arrive = arrive;
  }

  start(perSecond) {
    this.stop();
    this.#plan(performance.now(), 1000 / perSecond);
  }

  stop() {
    clearTimeout(this.#timer);
  }

  #plan(due, gap) {
    const now = performance.now();
    this.#timer = setTimeout(() => {
      const late = performance.now() - due > MISSED;
      if (!late) this.#arrive(due);
      this.#plan(late ? performance.now() : due + gap, gap);
    }, Math.max(0, due - now));
  }
}
