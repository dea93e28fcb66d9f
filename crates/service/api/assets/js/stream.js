// The stream of events: opens it, passes on what it says, notices when it is gone, comes back by itself.
//
// The service has room for so many streams: a page that nobody looks at gives its own back.

// The service speaks every two seconds; a frozen one keeps its connections open and says nothing.
const SILENCE = 5000;
const PAUSE = 1000;

export function listen({ connected, live, transition, gone, paused }) {
  let source = null;
  let timer;
  let wasHeard = null;

  function open() {
    clearTimeout(timer);
    source?.close();
    source = new EventSource("/events");
    source.addEventListener("live", (event) => {
      heard();
      live(JSON.parse(event.data));
    });
    source.addEventListener("transition", (event) => transition(JSON.parse(event.data)));
    source.addEventListener("error", lost);
    timer = setTimeout(lost, SILENCE);
  }

  function heard() {
    clearTimeout(timer);
    timer = setTimeout(lost, SILENCE);
    if (wasHeard !== true) {
      wasHeard = true;
      connected();
    }
  }

  // Never left to the browser: it gives up for good on an answer that is no stream, a 503 for one.
  function lost() {
    clearTimeout(timer);
    source.close();
    if (wasHeard !== false) {
      wasHeard = false;
      gone();
    }
    timer = setTimeout(open, PAUSE);
  }

  function pause() {
    clearTimeout(timer);
    source?.close();
    wasHeard = null;
    paused();
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? pause() : open()));
  if (!document.hidden) open();
}
