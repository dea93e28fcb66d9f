// The thresholds in force, out of /policies.

const UNITS = { ms: 0.001, s: 1, m: 60, h: 3600 };

/// Null where they cannot be had; figures then stand without their thresholds.
export async function fetchPolicies() {
  try {
    const response = await fetch("/policies");
    return response.ok ? read(await response.json()) : null;
  } catch {
    return null;
  }
}

function read({ process, policies }) {
  return {
    bound: process.worst_case_seconds,
    worker: thresholds(policies.worker.breaker),
    database: thresholds(policies.database.breaker),
    journalBytes: policies.journal.max_bytes,
    openWork: policies.recovery.max_open,
  };
}

function thresholds(breaker) {
  return {
    failures: breaker.failure_rate,
    slow: breaker.slow_call_rate,
    slowCall: inSeconds(breaker.slow_call),
  };
}

/// Of durations as people write them: "2s 400ms".
function inSeconds(text) {
  const parts = text.matchAll(/([\d.]+)\s*(ms|s|m|h)/g);
  return [...parts].reduce((sum, [, number, unit]) => sum + Number(number) * UNITS[unit], 0);
}
