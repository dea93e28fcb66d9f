// Codes of the contract as words.

const NAMES = {
  worker: "Worker",
  database: "Postgres",
  api: "API",
  worker_process: "Worker’s process",
  database_process: "Postgres’ process",
  api_process: "API’s process",
};

export function words(code) {
  return NAMES[code] ?? code.replaceAll("_", " ");
}
