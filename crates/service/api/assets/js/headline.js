// What is happening, in one sentence: what is broken, and what each side makes of it.

import { words } from "./words.js";

/// Milliseconds: what lies further back is history.
const LATELY = 10_000;
/// Milliseconds without an answer, from which on a call hangs.
const HANGS = 4_000;
const PROMISED = ["done", "journalled", "accepted"];
const ENDED_BADLY = ["failed", "refused", "given_up"];

/// `asked`: whether a dependency was called lately, by anybody; `broken`: pairs of a service and how it is broken; `calls`: those of the last minute.
export function headline(asked, broken, calls, now) {
  const what = broken.length > 0 ? broken.map(([service, how]) => `${words(service)} ${how}`).join(", ") : null;
  const [naive, resilient] = ["naive", "resilient"].map((side) => ended(calls, side, now));
  if (naive.all + resilient.all === 0) return `${what ?? calm(asked)}. Send traffic to see what each side makes of it.`;
  return `${what ?? "Nothing is broken"}: ${ofNaive(naive)}, ${ofResilient(resilient)}.`;
}

function calm(asked) {
  return asked ? "Nothing is broken" : "Nobody calls, so what died since the last call does not show";
}

function ended(calls, side, now) {
  const own = calls.filter((call) => call.side === side && call.sent !== null);
  const recent = own.filter((call) => now - (call.end ?? now) < LATELY);
  const hanging = recent.filter((call) => call.end === null && now - call.sent > HANGS).length;
  const count = (outcomes) => recent.filter((call) => outcomes.includes(call.outcome)).length;
  const [kept, bad, refused] = [count(PROMISED), count(ENDED_BADLY), count(["refused"])];
  return { kept, bad, refused, hanging, all: kept + bad + hanging };
}

function ofNaive({ bad, hanging, all }) {
  if (all === 0) return "naive has not answered yet";
  if (bad + hanging === 0) return `naive answers all ${all}`;
  return hanging > bad ? `naive hangs: ${hanging + bad} of ${all} without an answer` : `naive fails ${bad + hanging} of ${all}`;
}

function ofResilient({ kept, refused, all }) {
  if (all === 0) return "resilient has not answered yet";
  if (kept === all) return `resilient has promised all ${all}`;
  return `resilient has promised ${kept} of ${all}` + (refused > 0 ? ` and refused ${refused}` : "");
}
