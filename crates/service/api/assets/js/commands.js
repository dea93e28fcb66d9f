// What breaks and heals: buttons that do it, where the lab is there to do it, else commands with a button that copies them.

import { acting, copyOrSelect } from "./acting.js";

const GROUPS = [
  ["Worker", [
    ["kill", "worker", "its port refuses"],
    ["pause", "worker", "its port is open, nobody answers"],
    ["start", "worker", "heals either"],
  ]],
  ["Postgres", [
    ["kill", "db", "its port refuses"],
    ["pause", "db", "its port is open, nobody answers"],
    ["start", "db", "heals either, on the data it had"],
  ]],
  ["API", [
    ["kill", "api", "this page reconnects"],
    ["start", "api", "what it had accepted is done"],
    ["check", "lost", "after make load: was anything lost?"],
  ]],
];
const VERBS = ["kill", "pause", "start"];

/// `lab`: what does it, or null; `tell` is told what was done.
export function offerCommands(place, lab, tell) {
  if (lab) document.getElementById("commands-hint").textContent = "The lab does it to the stage that is up.";
  place.append(...GROUPS.map(([title, targets]) => group(title, targets, lab, tell)));
}

function group(title, targets, lab, tell) {
  const section = document.createElement("div");
  const heading = document.createElement("h3");
  const list = document.createElement("ul");
  heading.textContent = title;
  list.append(...targets.map((target) => command(target, lab, tell)));
  section.append(heading, list);
  return section;
}

function command([verb, service, meaning], lab, tell) {
  const target = `${verb}-${service}`;
  const text = `make ${target}`;
  const item = document.createElement("li");
  const code = document.createElement("code");
  const note = document.createElement("span");
  code.textContent = text;
  note.textContent = meaning;
  const button = lab && VERBS.includes(verb)
    ? acting(capital(verb), `${capital(verb)} ${service}`, () => run(lab, verb, service, tell))
    : acting("Copy", `Copy ${text}`, () => copyOrSelect(code));
  button.dataset.testid = `${button.textContent === "Copy" ? "copy" : "run"}-${target}`;
  item.append(code, note, button);
  return item;
}

async function run(lab, verb, service, tell) {
  const problem = await lab.act(verb, service);
  tell(problem === null ? `You: ${verb} ${service}` : `Could not ${verb} ${service}: ${problem}`);
  return problem === null ? "Done" : "Failed";
}

function capital(word) {
  return word[0].toUpperCase() + word.slice(1);
}
