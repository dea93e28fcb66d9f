// Buttons that say for a moment what became of what they do.

import { announce } from "./announcer.js";

const SHOWN = 1500;

/// `act` resolves with a word for what became of it.
export function acting(name, label, act) {
  const button = document.createElement("button");
  button.type = "button";
  nameButton(button, name, label);
  button.addEventListener("click", async () => {
    button.textContent = "…";
    button.textContent = await act();
    announce(`${button.textContent}: ${button.getAttribute("aria-label")}`);
    setTimeout(() => (button.textContent = button.dataset.name), SHOWN);
  });
  return button;
}

/// Gives a button its name, and the longer one for those who hear it.
export function nameButton(button, name, label) {
  button.dataset.name = name;
  button.textContent = name;
  button.setAttribute("aria-label", label);
}

/// Where the browser keeps its clipboard to itself, on plain HTTP from another machine, the reader presses the keys.
export async function copyOrSelect(code) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    return "Copied";
  } catch {
    getSelection().selectAllChildren(code);
    return "Selected";
  }
}
