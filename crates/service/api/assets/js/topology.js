// The drawing of the system: each edge shows its health by colour, by line and in words.

import { count, perSecond } from "./format.js";
import { words } from "./words.js";

const PAUSE = 1000;
const HEALTH = { closed: "healthy", half_open: "probing", open: "broken" };

export async function topology() {
  const text = await fetchDrawing();
  const drawing = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  document.getElementById("topology").append(document.adoptNode(drawing));

  const part = {
    show({ status }) {
      edge("api", "healthy", "live");
      ["worker", "database"].forEach((name) => showDependency(name, status.dependencies[name]));
      showJournal(status.journal, status.recovery);
      describe(drawing);
    },
    forget() {
      edge("api", "broken", "lost");
      ["worker", "database", "journal"].forEach((name) => {
        edge(name, "unknown", "unknown");
        note(name, "");
      });
      replay("none", "");
      describe(drawing);
    },
  };
  return part;
}

/// Tries until it comes: the API may be restarting while the page loads.
async function fetchDrawing() {
  for (;;) {
    try {
      const response = await fetch("/assets/topology.svg");
      if (response.ok) return await response.text();
    } catch {
      // Nobody there yet.
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

function showDependency(name, { breaker, in_flight }) {
  edge(name, HEALTH[breaker], words(breaker));
  note(name, `${in_flight} in flight`);
}

function showJournal(journal, { replayed_per_second }) {
  if (journal === null) {
    edge("journal", "unknown", "not used");
    note("journal", "");
    return replay("none", "");
  }
  const { available, entries } = journal;
  edge("journal", available ? "healthy" : "broken", available ? "ready" : "cannot write");
  note("journal", `holds ${count(entries)}`);
  if (replayed_per_second > 0) replay("flows", perSecond(replayed_per_second));
  else replay(entries > 0 ? "waits" : "none", "waits");
}

function edge(name, health, said) {
  const group = document.getElementById(`edge-${name}`);
  group.dataset.health = health;
  group.querySelector(".health").textContent = said;
}

function note(name, text) {
  document.getElementById(`note-${name}`).textContent = text;
}

function replay(flow, text) {
  const group = document.getElementById("edge-replay");
  group.dataset.flow = flow;
  group.querySelector("text").textContent = text;
}

/// For those who hear the drawing: what its edges say, and nothing that changes all the time.
function describe(drawing) {
  const said = (name) => document.querySelector(`#edge-${name} .health`).textContent;
  const label =
    `Client to API: ${said("api")}. API to worker: ${said("worker")}. ` +
    `API to Postgres: ${said("database")}. API to journal: ${said("journal")}.`;
  if (drawing.getAttribute("aria-label") !== label) drawing.setAttribute("aria-label", label);
}
