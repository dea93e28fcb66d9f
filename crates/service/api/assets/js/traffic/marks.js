// How a call looks: its outcome by shape and colour.

import { svg } from "../svg.js";

const RING = "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z";
const BAR = "M-5-1h10v2h-10z";
const SHAPES = {
  done: RING,
  journalled: `${RING}M-1 0a1 1 0 1 0 2 0a1 1 0 1 0-2 0z`,
  accepted: "M-3.5-3.5h7v7h-7z",
  refused: "M-5 0H5M0-5V5",
  failed: "M-4-4L4 4M4-4L-4 4",
  waiting: RING,
  given_up: BAR,
  queued: "M0-4V2",
  unsent: "M-3 2L3-4",
};

/// In the order of the table, with what they are called.
export const OUTCOMES = [
  ["done", "done"],
  ["journalled", "done, by way of the journal"],
  ["accepted", "accepted, done later"],
  ["refused", "refused: no promise"],
  ["failed", "failed"],
  ["waiting", "no answer yet"],
  ["given_up", "given up after 30 s"],
  ["queued", "in this browser’s queue"],
  ["unsent", "never sent"],
];

/// What only the resilient side can answer.
const PROMISES = ["journalled", "accepted"];

/// Null where the side has no such outcome.
export function mark(side, outcome) {
  if (side === "naive" && PROMISES.includes(outcome)) return null;
  return svg("path", { d: SHAPES[outcome], class: `call ${outcome}` });
}

/// An outcome in words.
export function named(outcome) {
  return OUTCOMES.find(([code]) => code === outcome)[1];
}
