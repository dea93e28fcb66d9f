// Breaking and healing from the page, where `lab control` serves it: same origin, and the token that it printed.

const TOKEN = /^#[0-9a-f]{32}$/;
const KEPT_AS = "lab-token";
const PERIOD = 2000;

/// Null where nobody offers it; then the commands are to be copied.
export async function connectLab() {
  const token = takeToken();
  if (token === null) return null;
  const ask = (path, method) => fetch(`/lab/${path}`, { method, headers: { authorization: `Bearer ${token}` } });
  const services = async () => {
    try {
      const answer = await ask("services", "GET");
      return answer.ok ? await answer.json() : null;
    } catch {
      return null;
    }
  };
  if ((await services()) === null) return null;

  return {
    /// Does it; null, or why it could not be done.
    async act(verb, service) {
      try {
        const answer = await ask(`${verb}/${service}`, "POST");
        return answer.ok ? null : await answer.text();
      } catch {
        return "lab control does not answer";
      }
    },
    /// Tells how each service is, every two seconds while somebody looks.
    watch(told) {
      const look = async () => {
        const found = document.hidden ? null : await services();
        if (found) told(found);
        setTimeout(look, PERIOD);
      };
      look();
    },
  };
}

/// Out of the address, where it would be shown and copied, into this tab's memory.
function takeToken() {
  if (TOKEN.test(location.hash)) {
    sessionStorage.setItem(KEPT_AS, location.hash.slice(1));
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem(KEPT_AS);
}
