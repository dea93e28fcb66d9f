// The commands that break and heal, each with a button that copies it.

import { announce } from "./announcer.js";

const SHOWN = 1500;
const GROUPS = [
  ["Worker", [
    ["kill-worker", "its port refuses"],
    ["pause-worker", "its port is open, nobody answers"],
    ["start-worker", "heals either"],
  ]],
  ["Postgres", [
    ["kill-db", "its port refuses"],
    ["pause-db", "its port is open, nobody answers"],
    ["start-db", "heals either, on the data it had"],
  ]],
  ["API", [
    ["kill-api", "this page reconnects"],
    ["start-api", "what it had accepted is done"],
    ["check-lost", "after make load: was anything lost?"],
  ]],
];

export function offerCommands(place) {
  place.append(...GROUPS.map(([title, targets]) => group(title, targets)));
}

function group(title, targets) {
  const section = document.createElement("div");
  const heading = document.createElement("h3");
  const list = document.createElement("ul");
  heading.textContent = title;
  list.append(...targets.map(([target, meaning]) => command(`make ${target}`, meaning)));
  section.append(heading, list);
  return section;
}

function command(text, meaning) {
  const item = document.createElement("li");
  const code = document.createElement("code");
  const note = document.createElement("span");
  const button = document.createElement("button");
  code.textContent = text;
  note.textContent = meaning;
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy ${text}`);
  button.dataset.testid = `copy-${text.replace("make ", "")}`;
  button.addEventListener("click", async () => {
    button.textContent = (await copy(text)) ? "Copied" : select(code);
    announce(`${button.textContent}: ${text}`);
    setTimeout(() => (button.textContent = "Copy"), SHOWN);
  });
  item.append(code, note, button);
  return item;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/// Where the browser keeps its clipboard to itself, on plain HTTP from another machine, the reader presses the keys.
function select(code) {
  getSelection().selectAllChildren(code);
  return "Selected";
}
