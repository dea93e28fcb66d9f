// Figures as text, as wide as they need to be and no wider.

const UNITS = ["B", "KiB", "MiB", "GiB"];

export function percent(share) {
  return share === null ? "none" : `${Math.round(share * 100)} %`;
}

export function seconds(value) {
  if (value === null) return "none yet";
  if (value < 0.001) return "< 1 ms";
  return value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(value < 10 ? 2 : 1)} s`;
}

/// Of what may be days old.
export function age(value) {
  if (value < 60) return `${Math.round(value)} s`;
  if (value < 3600) return `${Math.floor(value / 60)} min`;
  return value < 172_800 ? `${Math.floor(value / 3600)} h` : `${Math.floor(value / 86_400)} days`;
}

export function bytes(value) {
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toFixed(unit > 0 && value < 10 ? 1 : 0)} ${UNITS[unit]}`;
}

export function perSecond(value) {
  return `${value.toFixed(1)} / s`;
}

export function count(value) {
  return value.toLocaleString("en-GB");
}
