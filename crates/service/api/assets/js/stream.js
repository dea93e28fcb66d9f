// The stream of events: opens it, passes on what it says, notices when it is gone, comes back by itself.

// The service speaks every two seconds; a frozen one keeps its connections open and says nothing.
const SILENCE = 5000;
const PAUSE = 1000;

export function listen({ connected, live, transition, gone }) {
  let source;
  let silence;
  let wasHeard = null;

  function open() {
    source = new EventSource("/events");
    source.addEventListener("live", (event) => {
      heard();
      live(JSON.parse(event.data));
    });
    source.addEventListener("transition", (event) => transition(JSON.parse(event.data)));
    source.addEventListener("error", lost);
    silence = setTimeout(lost, SILENCE);
  }

  function heard() {
    clearTimeout(silence);
    silence = setTimeout(lost, SILENCE);
    if (wasHeard !== true) {
      wasHeard = true;
      connected();
    }
  }

  // Never left to the browser: it gives up for good on an answer that is no stream, a 503 for one.
  function lost() {
    clearTimeout(silence);
    source.close();
    if (wasHeard !== false) {
      wasHeard = false;
      gone();
    }
    setTimeout(open, PAUSE);
  }

  open();
}
