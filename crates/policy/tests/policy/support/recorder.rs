//! An observer that keeps every event.

use std::sync::{Arc, Mutex};

use holdfast_policy::{BreakerState, Event, Observer, Outcome, RejectedBy};

#[derive(Clone, Debug, Default)]
pub(crate) struct Recorder {
    events: Arc<Mutex<Vec<Event<'static>>>>,
}

impl Observer for Recorder {
    fn on_event(&self, event: &Event<'_>) {
        self.events.lock().unwrap().push(event.under("worker"));
    }
}

impl Recorder {
    pub(crate) fn events(&self) -> Vec<Event<'static>> {
        self.events.lock().unwrap().clone()
    }

    /// How each attempt ended.
    pub(crate) fn attempts(&self) -> Vec<Outcome> {
        self.pick(|event| match event {
            Event::Attempt { outcome, .. } => Some(*outcome),
            _ => None,
        })
    }

    /// Who refused, each time.
    pub(crate) fn rejections(&self) -> Vec<RejectedBy> {
        self.pick(|event| match event {
            Event::Rejected { by, .. } => Some(*by),
            _ => None,
        })
    }

    /// The states the breaker entered.
    pub(crate) fn states(&self) -> Vec<BreakerState> {
        self.pick(|event| match event {
            Event::Transition { to, .. } => Some(*to),
            _ => None,
        })
    }

    pub(crate) fn pick<T>(&self, choose: impl Fn(&Event) -> Option<T>) -> Vec<T> {
        self.events
            .lock()
            .unwrap()
            .iter()
            .filter_map(choose)
            .collect()
    }
}
