// The thresholds in force, out of /policies.

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
  return { failures: breaker.failure_rate, slow: breaker.slow_call_rate, slowCall: breaker.slow_call };
}
