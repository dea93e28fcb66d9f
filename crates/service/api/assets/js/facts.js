// The named figures and meters of a tile.

import { meter } from "./meter.js";

const UNKNOWN = "–";

export function factsOf(tile) {
  const facts = {};
  const meters = {};
  tile.querySelectorAll("[data-fact]").forEach((place) => (facts[place.dataset.fact] = place));
  tile.querySelectorAll("[data-meter]").forEach((place) => (meters[place.dataset.meter] = meter(place)));

  return {
    say(name, text) {
      facts[name].textContent = text;
    },
    measure(name, share, limit) {
      meters[name].show(share, limit);
    },
    forget() {
      Object.values(facts).forEach((place) => (place.textContent = UNKNOWN));
      Object.values(meters).forEach((it) => it.show(null));
    },
  };
}
