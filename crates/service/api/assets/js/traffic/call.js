// One call, and what became of it.

export async function send(path, credentials, signal) {
  try {
    const response = await fetch(path, { credentials, signal, cache: "no-store" });
    // Read to the end, or the connection is not free.
    const body = await response.text();
    return outcome(response.status, body);
  } catch {
    return "failed";
  }
}

function outcome(status, body) {
  if (status === 200) return isDegraded(body) ? "journalled" : "done";
  if (status === 202) return "accepted";
  return status === 503 ? "refused" : "failed";
}

function isDegraded(body) {
  return (JSON.parse(body).degraded ?? []).length > 0;
}
