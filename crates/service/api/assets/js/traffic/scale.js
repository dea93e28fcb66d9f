// The axes: a minute from left to right, as many seconds upwards as the slowest call asks for.

/// So many seconds, and a line at each of these.
const HEIGHTS = [[1, 0.2], [2.5, 0.5], [5, 1], [10, 2], [20, 5], [35, 5]];
export const SECONDS_SHOWN = 60;

export class Scale {
  constructor(width, height, slowest) {
    this.left = 34;
    this.right = width - 12;
    this.top = 10;
    this.bottom = height - 24;
    [this.most, this.step] = HEIGHTS.find(([most]) => most >= slowest) ?? HEIGHTS.at(-1);
  }

  /// Where a call stands that was due so many seconds ago.
  x(ago) {
    return this.right - (ago / SECONDS_SHOWN) * (this.right - this.left);
  }

  /// Where a latency of so many seconds stands.
  y(seconds) {
    const share = Math.min(seconds / this.most, 1);
    return this.bottom - share * (this.bottom - this.top);
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
