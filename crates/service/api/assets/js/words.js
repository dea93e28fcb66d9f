// Codes of the contract as words.

const NAMES = { worker: "Worker", database: "Postgres", api: "API" };

export function words(code) {
  return NAMES[code] ?? code.replaceAll("_", " ");
}
