// How a call looks: its side by the frame (square or round), its outcome by shape and colour.

import { svg } from "../svg.js";

const RING = "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z";
const SQUARE = "M-3.5-3.5h7v7h-7z";
const CROSS = "M-4-4L4 4M4-4L-4 4";
const CROSS_IN_RING = `${RING}M-2.8-2.8L2.8 2.8M2.8-2.8L-2.8 2.8`;

/// In the order of the table, with what they are called.
export const OUTCOMES = [
  ["done", "done"],
  ["journalled", "done, by way of the journal"],
  ["accepted", "accepted, done later"],
  ["refused", "refused: no promise"],
  ["failed", "failed"],
  ["waiting", "no answer yet"],
  ["given_up", "given up after 30 s"],
];

const SHAPES = {
  naive: { done: SQUARE, failed: CROSS, refused: CROSS, waiting: SQUARE, given_up: "M-5-1h10v2h-10z" },
  resilient: {
    done: RING,
    journalled: `${RING}M-1 0a1 1 0 1 0 2 0a1 1 0 1 0-2 0z`,
    accepted: RING,
    refused: "M-5 0H5M0-5V5",
    failed: CROSS_IN_RING,
    waiting: RING,
    given_up: "M-5-1h10v2h-10z",
  },
};

/// Null where the side has no such outcome.
export function mark(side, outcome) {
  const d = SHAPES[side][outcome];
  return d ? svg("path", { d, class: `call ${outcome}` }) : null;
}
