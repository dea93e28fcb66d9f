// What is owed, one by one, and what an operator may do about it: with the token by a button, without by a command.

import { copyOrSelect } from "./acting.js";
import { owedList } from "./owed-list.js";
import { words } from "./words.js";

const SHOWN = 5;
/// Milliseconds between two looks, and the longest one.
const PAUSE = 3000;
const LONGEST = 2000;
const UNKNOWN = "cannot be told while Postgres is not there";

/// `tell` is told what was done.
export function operatorTile(tell) {
  const token = document.getElementById("token");
  const command = document.querySelector(".command");
  const waiting = owedList("received", "Waits for longest", cancel);
  const failed = owedList("failed", "Given up", retry, retryAll);
  document.getElementById("lists").append(waiting.element, failed.element);
  ["input", "change"].forEach((event) => token.addEventListener(event, mayAct));
  let isLive = false;
  let next = 0;
  let why = "";

  function mayAct() {
    [waiting, failed].forEach((list) => list.acts(token.value !== ""));
  }

  async function look() {
    // One after the other: the browser has few connections, and calls may hang in the others.
    await show(waiting, "received", "oldest");
    await show(failed, "failed", "newest");
  }

  async function show(list, status, order) {
    const found = await ask(`/requests?status=${status}&order=${order}&limit=${SHOWN}`);
    if (!isLive) return;
    if (found === null) list.forget(UNKNOWN);
    else list.show(found.list, found.now, why);
  }

  function forget(text) {
    [waiting, failed].forEach((list) => list.forget(text));
  }

  async function act(name, path) {
    if (token.value === "") {
      command.hidden = false;
      command.firstElementChild.textContent =
        `curl -X POST -H "Authorization: Bearer $HOLDFAST_ADMIN_TOKEN" '${location.origin}${path}'`;
      return copyOrSelect(command.firstElementChild);
    }
    const problem = await post(path, token.value);
    tell(problem === null ? `You: ${name}` : `Could not ${name}: ${problem}`);
    next = 0;
    return problem === null ? "Done" : "Failed";
  }

  function cancel(id) {
    return act(`cancel ${id}`, `/requests/${id}/cancel`);
  }

  function retry(id) {
    return act(`retry ${id}`, `/requests/${id}/retry`);
  }

  function retryAll() {
    return act("retry all that failed", "/requests/retry?status=failed");
  }

  return {
    show({ status }) {
      isLive = true;
      const { breaker, last_error } = status.dependencies.worker;
      why = breaker === "closed" ? "in hand, or waits for its turn" : `worker breaker ${words(breaker)}: ${words(last_error ?? "unknown")}`;
      if (status.dependencies.database.breaker === "open") return forget(UNKNOWN);
      if (Date.now() < next) return;
      next = Date.now() + PAUSE;
      look();
    },
    forget() {
      isLive = false;
      forget("–");
    },
  };
}

/// The list, and what time it is where it comes from; null where it cannot be had.
async function ask(path) {
  try {
    const answer = await fetch(path, { signal: AbortSignal.timeout(LONGEST) });
    if (!answer.ok) return null;
    return { list: await answer.json(), now: Date.parse(answer.headers.get("date")) || Date.now() };
  } catch {
    return null;
  }
}

/// Null, or why it was refused.
async function post(path, token) {
  try {
    const answer = await fetch(path, { method: "POST", headers: { authorization: `Bearer ${token}` } });
    return answer.ok ? null : (await answer.json()).detail;
  } catch {
    return "the API does not answer";
  }
}
