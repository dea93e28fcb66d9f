// A list of requests that an operator may act on. A row stays in place while its request is listed: a button must not go away
// from under a pointer.

import { acting, nameButton } from "./acting.js";
import { age, count } from "./format.js";

const VERBS = { received: "Cancel", failed: "Retry" };

/// `act` is given the id of a request and `actOnAll` nothing; both resolve with a word for what became of it.
export function owedList(status, title, act, actOnAll) {
  const element = document.createElement("div");
  const header = document.createElement("header");
  const heading = document.createElement("h3");
  const list = document.createElement("ol");
  const note = document.createElement("p");
  const rows = new Map();
  const verb = VERBS[status];
  const all = actOnAll && offered(`${verb} all`, "Copy curl for all", "that failed", actOnAll);
  let mayAct = false;
  note.className = "nothing";
  heading.dataset.testid = `${status}-total`;
  list.dataset.testid = `${status}-list`;
  note.dataset.testid = `${status}-note`;
  header.append(heading, ...(all ? [all.element] : []));
  element.append(header, list, note);

  function say(total, text) {
    heading.textContent = total > list.children.length ? `${title}, ${list.children.length} of ${count(total)}` : title;
    note.textContent = text;
    note.hidden = text === "";
    if (all) all.element.hidden = !total;
  }

  function keep(requests) {
    const listed = new Set(requests.map((request) => request.request_id));
    for (const [id, row] of rows) {
      if (listed.has(id)) continue;
      row.element.remove();
      rows.delete(id);
    }
  }

  function rowOf(id) {
    if (!rows.has(id)) rows.set(id, row(id, verb, mayAct, () => act(id)));
    return rows.get(id);
  }

  all?.acts(mayAct);
  say(0, "–");
  return {
    element,
    /// `why` an open one waits that has not failed by itself.
    show({ total, requests }, now, why) {
      keep(requests);
      requests.forEach((request, place) => {
        const item = rowOf(request.request_id);
        item.say(request, now, request.error ?? why);
        if (list.children[place] !== item.element) list.insertBefore(item.element, list.children[place] ?? null);
      });
      say(total, requests.length === 0 ? "nothing" : "");
    },
    acts(may) {
      mayAct = may;
      all?.acts(may);
      rows.forEach((item) => item.button.acts(may));
    },
    forget(text) {
      keep([]);
      say(0, text);
    },
  };
}

function row(id, verb, mayAct, act) {
  const element = document.createElement("li");
  const head = document.createElement("span");
  const link = document.createElement("a");
  const past = document.createElement("span");
  const reason = document.createElement("span");
  const button = offered(verb, "Copy curl", id, act);
  link.href = `/requests/${id}`;
  link.title = id;
  link.textContent = `…${id.slice(-12)}`;
  reason.className = "why";
  head.append(link, past);
  element.append(head, reason, button.element);
  button.acts(mayAct);
  return {
    element,
    button,
    say({ received_at, attempts }, now, why) {
      const times = attempts === 1 ? "once" : `${attempts} times`;
      const old = age(Math.max(now - Date.parse(received_at), 0) / 1000);
      past.textContent = `, ${old} old` + (attempts > 0 ? `, failed ${times}` : "");
      reason.textContent = why;
    },
  };
}

/// A button that acts where it may, and else copies the command that does.
function offered(verb, copies, what, act) {
  const element = acting("", "", act);
  return {
    element,
    acts(may) {
      const name = may ? verb : copies;
      nameButton(element, name, may ? `${verb} ${what}` : `${copies}: ${verb.toLowerCase()} ${what}`);
    },
  };
}
