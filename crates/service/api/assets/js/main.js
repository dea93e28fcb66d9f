// Puts the page together: whatever the stream says goes to every part, and when it is gone every part forgets.

import { announce } from "./announcer.js";
import { listChanges } from "./changes.js";
import { offerCommands } from "./commands.js";
import { showConnection } from "./connection.js";
import { dependencyTile } from "./dependency.js";
import { owedTile } from "./owed.js";
import { fetchPolicies } from "./policies.js";
import { listen } from "./stream.js";
import { topology } from "./topology.js";
import { trafficSwitch } from "./traffic/switch.js";
import { words } from "./words.js";

const parts = [
  dependencyTile("worker", "Worker"),
  dependencyTile("database", "Postgres"),
  owedTile(),
];
// Never waited for: everything else works without the drawing.
topology().then((drawing) => parts.push(drawing));
const note = listChanges(document.getElementById("changes"));
const traffic = trafficSwitch();
let policies = null;

offerCommands(document.getElementById("commands"));

listen({
  async connected() {
    tell("The API is there: live");
    showConnection("live");
    // Anew each time: it may have been restarted with others.
    policies = await fetchPolicies();
    traffic.bound(policies?.bound);
  },
  live(live) {
    parts.forEach((part) => part.show(live, policies));
  },
  transition({ dependency, from, to }) {
    tell(`${words(dependency)}: breaker ${words(from)} → ${words(to)}`);
  },
  gone() {
    // Which of the two, a browser does not tell.
    tell("No events: the API does not answer, or has no room for another page; reconnecting");
    showConnection("reconnecting");
    parts.forEach((part) => part.forget());
  },
});

function tell(sentence) {
  note(sentence);
  announce(sentence);
}
