// Puts the page together: whatever the stream says goes to every part, and when it is gone every part forgets.

import { announce } from "./announcer.js";
import { listChanges } from "./changes.js";
import { offerCommands } from "./commands.js";
import { showConnection } from "./connection.js";
import { dependencyTile } from "./dependency.js";
import { headline } from "./headline.js";
import { connectLab } from "./lab.js";
import { loadTile } from "./load.js";
import { operatorTile } from "./operator.js";
import { owedTile } from "./owed.js";
import { fetchPolicies } from "./policies.js";
import { listen } from "./stream.js";
import { topology } from "./topology.js";
import { trafficSwitch } from "./traffic/switch.js";
import { words } from "./words.js";

/// A breaker that is not closed, as the chart shades it.
const BREAKERS = {
  open: { kind: "open", said: "breaker open" },
  half_open: { kind: "half_open", said: "breaker half open" },
};
/// A process that does not run, and how the page calls it.
const CONDITIONS = { dead: { kind: "gone", said: "killed" }, paused: { kind: "gone", said: "paused" } };
const PROCESSES = { worker: "worker_process", db: "database_process", api: "api_process" };
const DEPENDENCIES = ["worker", "database"];
const note = listChanges(document.getElementById("changes"));
const head = document.getElementById("headline");
/// How services are broken, as far as the page sees.
const broken = new Map();
/// Whether a dependency was called lately, by anybody.
let asked = false;
const traffic = trafficSwitch((calls, now) => {
  const said = headline(asked, [...broken].sort(causeFirst), calls, now);
  if (head.textContent !== said) head.textContent = said;
});
const parts = [
  dependencyTile("worker", "Worker", traffic.turnOn),
  dependencyTile("database", "Postgres", traffic.turnOn),
  owedTile(),
  operatorTile(tell),
  loadTile(),
];
// Never waited for: everything else works without the drawing.
topology().then((drawing) => parts.push(drawing));
let policies = null;

connectLab().then((lab) => {
  offerCommands(document.getElementById("commands"), lab, tell);
  lab?.watch((services) => {
    for (const [name, condition] of Object.entries(services)) breaks(PROCESSES[name], CONDITIONS[condition]);
  });
});

listen({
  async connected() {
    tell("The API is there: live");
    showConnection("live");
    breaks("api", null);
    // Anew each time: it may have been restarted with others.
    policies = await fetchPolicies();
    traffic.bound(policies?.bound);
  },
  live(live) {
    parts.forEach((part) => part.show(live, policies));
    asked = DEPENDENCIES.some((name) => live.status.dependencies[name].failure_rate !== null);
    DEPENDENCIES.forEach((name) => breaks(name, BREAKERS[live.status.dependencies[name].breaker]));
  },
  transition({ dependency, from, to }) {
    tell(`${words(dependency)}: breaker ${words(from)} → ${words(to)}`);
  },
  gone() {
    // Which of the two, a browser does not tell.
    tell("No events: the API does not answer, or has no room for another page; reconnecting");
    showConnection("reconnecting");
    parts.forEach((part) => part.forget());
    DEPENDENCIES.forEach((name) => breaks(name, null));
    breaks("api", { kind: "gone", said: "no answer" });
  },
  paused() {
    showConnection("paused");
  },
});

/// A dead process before the breaker that opened because of it.
function causeFirst([one], [other]) {
  const isCause = (service) => Number(service.endsWith("_process"));
  return isCause(other) - isCause(one);
}

/// How a service is broken now; null or undefined: it is not.
function breaks(service, how) {
  traffic.broken(service, how ?? null);
  if (how) broken.set(service, how.said);
  else broken.delete(service);
}

function tell(sentence) {
  note(sentence);
  announce(sentence);
}
