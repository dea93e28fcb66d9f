//! A reader of `/events`.

use std::time::Duration;

use holdfast_wire::{Live, Transition};
use reqwest::Response;
use tokio::time::timeout;

/// Longer than two heartbeats and than the quick breakers stay open.
const WITHIN: Duration = Duration::from_secs(10);

/// One event, taken apart.
#[derive(Debug)]
pub(crate) enum Event {
    Live(Box<Live>),
    Transition(Transition),
}

/// An open stream.
pub(crate) struct Events {
    response: Response,
    text: String,
}

impl Events {
    pub(crate) fn of(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            text: String::new(),
        }
    }

    /// The next event; none at the end.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let event = parse(event);
                self.text = rest.to_owned();
                return Some(event);
            }
            let chunk = timeout(WITHIN, self.response.chunk()).await;
            let chunk = chunk.expect("the stream is silent").unwrap()?;
            self.text += std::str::from_utf8(&chunk).unwrap();
        }
    }

    /// Reads until what is there is as it should be.
    pub(crate) async fn come_to(&mut self, reached: impl Fn(&Live) -> bool) {
        loop {
            match self.next().await {
                Some(Event::Live(live)) if reached(&live) => return,
                Some(_) => {}
                None => panic!("the stream has ended"),
            }
        }
    }

    /// Reads until a breaker changes its state.
    pub(crate) async fn transition(&mut self) -> Transition {
        loop {
            match self.next().await {
                Some(Event::Transition(transition)) => return transition,
                Some(Event::Live(_)) => {}
                None => panic!("the stream has ended"),
            }
        }
    }
}

fn parse(event: &str) -> Event {
    let (name, data) = event.split_once('\n').unwrap();
    let data = data.strip_prefix("data: ").unwrap();
    match name {
        "event: live" => Event::Live(serde_json::from_str(data).unwrap()),
        "event: transition" => Event::Transition(serde_json::from_str(data).unwrap()),
        other => panic!("{other}"),
    }
}
