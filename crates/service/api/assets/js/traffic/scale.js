// The axes: a minute from left to right for both sides, as many seconds upwards in each lane as the slowest call asks for.

/// So many seconds, and a line at each of these.
const HEIGHTS = [[1, 0.5], [2.5, 0.5], [5, 1], [10, 2], [20, 5], [40, 10]];
export const SECONDS_SHOWN = 60;

export class Scale {
  constructor(width, slowest) {
    this.left = 34;
    this.right = width - 12;
    [this.most, this.step] = HEIGHTS.find(([most]) => most >= slowest) ?? HEIGHTS.at(-1);
  }

  /// Where something stands that was so many seconds ago; no further left than the axis.
  x(ago) {
    return this.right - Math.min(ago / SECONDS_SHOWN, 1) * (this.right - this.left);
  }

  /// Where a latency of so many seconds stands in a lane.
  y(seconds, { top, bottom }) {
    return bottom - Math.min(seconds / this.most, 1) * (bottom - top);
  }

  /// In seconds ago; fewer where there is no room for their words.
  get columns() {
    return this.right > 480 ? [0, 15, 30, 45, SECONDS_SHOWN] : [0, 30, SECONDS_SHOWN];
  }

  /// In seconds.
  get rows() {
    const count = Math.round(this.most / this.step) + 1;
    return Array.from({ length: count }, (_, index) => Math.round(index * this.step * 10) / 10);
  }
}
