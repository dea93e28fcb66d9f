// Whether what the page shows is live.

const SAID = { live: "live", reconnecting: "reconnecting…", paused: "paused while hidden" };

export function showConnection(state) {
  document.body.dataset.connection = state;
  document.querySelector(".connection").textContent = SAID[state];
}
