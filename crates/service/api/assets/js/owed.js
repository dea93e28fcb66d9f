// What is owed: the journal, open work, and how fast recovery pays.

import { factsOf } from "./facts.js";
import { age, bytes, count, perSecond } from "./format.js";

export function owedTile() {
  const tile = document.querySelector(".owed");
  const facts = factsOf(tile);
  const entries = tile.querySelector("[data-testid=journal-entries]");
  const openWork = tile.querySelector("[data-testid=open-work]");

  function lead(place, value) {
    place.textContent = value === null ? "–" : count(value);
    place.classList.toggle("some", value > 0);
  }

  return {
    show({ status }, policies) {
      const { journal, recovery } = status;
      lead(entries, journal?.entries ?? null);
      lead(openWork, status.open_work);
      showJournal(facts, journal, policies?.journalBytes);
      facts.say("recovering", `${recovery.in_flight} of ${recovery.limit}`);
      facts.say("replayed", perSecond(recovery.replayed_per_second));
      facts.say("finished", perSecond(recovery.finished_per_second));
    },
    forget() {
      lead(entries, null);
      lead(openWork, null);
      facts.forget();
    },
  };
}

function showJournal(facts, journal, most) {
  if (journal === null) {
    ["bytes", "oldest"].forEach((name) => facts.say(name, "–"));
    return facts.say("available", "not used");
  }
  facts.say("bytes", bytes(journal.bytes) + (most ? ` of ${bytes(most)}` : ""));
  facts.measure("bytes", most ? journal.bytes / most : null);
  facts.say("oldest", journal.oldest_seconds === null ? "none" : `${age(journal.oldest_seconds)} old`);
  facts.say("available", journal.available ? "can write" : "cannot write");
}
