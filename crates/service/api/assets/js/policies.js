// The thresholds in force, out of /policies.

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

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

/// Of a duration as people write it: "2s 400ms".
function inSeconds(text) {
  const parts = [...text.matchAll(/([\d.]+)\s*(ms|s|m|h)/g)];
  const milliseconds = parts.reduce((sum, [, number, unit]) => sum + Number(number) * UNITS[unit], 0);
  return milliseconds / 1000;
}
