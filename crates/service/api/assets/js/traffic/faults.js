// When something was broken, as far as this page could see: one window from when it broke until it was whole again.

const KEPT = 60_000;

/// Each window: which service, how it was broken, from when, until when (null: still).
export class Faults {
  #windows = [];

  /// How a service is broken now; null: it is not.
  see(service, how, now) {
    const open = this.#windows.find((it) => it.service === service && it.to === null);
    if (open?.how === how) return;
    if (open) open.to = now;
    if (how) this.#windows.push({ service, how, from: now, to: null });
  }

  /// Those of the last minute, the services in the order in which they first broke.
  since(now) {
    this.#windows = this.#windows.filter(({ to }) => to === null || now - to < KEPT);
    return this.#windows;
  }
}
