//! The one producer behind every stream of events: it looks four times a second and renders once, however many read.
//!
//! Bounded: so many streams, and so many events that a stream may be behind; what it misses is overtaken by the next one.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Bytes;
use futures_util::{Stream, stream};
use holdfast_wire::{Live, Load, Transition};
use tokio::select;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{self, Receiver, Sender};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::frame;
use super::pulse::Pulse;
use crate::http::status;
use crate::limit::{InFlightLimit, Permit};
use crate::live;
use crate::metrics::{Answers, Metrics};
use crate::overview::Overview;

const PERIOD: Duration = Duration::from_millis(250);
/// Streams at once.
const STREAMS: u32 = 64;
/// Events that a stream may be behind.
const BEHIND: usize = 32;

/// Where streams begin. Clones share it.
#[derive(Clone)]
pub(crate) struct Feed {
    frames: Sender<Frame>,
    streams: InFlightLimit,
}

#[derive(Debug, Clone)]
enum Frame {
    Event(Bytes),
    /// The service drains: an open stream would delay its end.
    End,
}

impl Feed {
    /// Without a reader.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self {
            frames: broadcast::channel(BEHIND).0,
            streams: InFlightLimit::new(STREAMS),
        }
    }

    /// What is sent from now on, unless there are as many streams as there may be.
    pub(super) fn stream(&self) -> Option<impl Stream<Item = Bytes> + use<>> {
        let permit = self.streams.enter()?;
        let reader = (self.frames.subscribe(), permit);
        Some(stream::unfold(reader, next))
    }

    /// Fails where nobody reads, and that is fine.
    fn send(&self, frame: Frame) {
        let _ = self.frames.send(frame);
    }
}

async fn next(
    (mut frames, permit): (Receiver<Frame>, Permit),
) -> Option<(Bytes, (Receiver<Frame>, Permit))> {
    loop {
        match frames.recv().await {
            Ok(Frame::Event(bytes)) => return Some((bytes, (frames, permit))),
            Ok(Frame::End) | Err(RecvError::Closed) => return None,
            Err(RecvError::Lagged(_)) => {}
        }
    }
}

/// What is to be known now.
pub(super) fn look(overview: &Overview, metrics: &Metrics) -> Live {
    let refused = metrics.answers().map(Answers::refused);
    let (shed, throttled) = refused.unwrap_or_default();
    Live {
        status: status::show(overview),
        latency: overview.live.latencies(Instant::now()),
        load: Load {
            shed,
            throttled,
            hedges: overview.live.worker.hedges(),
        },
    }
}

/// Produces for ever. From the drain on it only ends streams, also those that begin late.
pub(crate) async fn keep_feeding(overview: Arc<Overview>, metrics: Metrics, feed: Feed) {
    let mut transitions = overview.live.transitions();
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut pulse = Pulse::default();
    loop {
        select! {
            _ = ticks.tick() => {}
            Ok(transition) = transitions.recv() => {
                send_transition(&feed, transition);
            }
        }
        beat(&overview, &metrics, &feed, &mut pulse);
        if !overview.readiness.is_ready() {
            feed.send(Frame::End);
        }
    }
}

fn beat(overview: &Overview, metrics: &Metrics, feed: &Feed, pulse: &mut Pulse) {
    if feed.frames.receiver_count() == 0 {
        *pulse = Pulse::default();
        return;
    }
    let live = look(overview, metrics);
    if pulse.is_due(&live, Instant::now())
        && let Some(bytes) = frame::event("live", &live)
    {
        feed.send(Frame::Event(bytes));
    }
}

fn send_transition(feed: &Feed, transition: live::Transition) {
    let transition = Transition {
        dependency: transition.dependency.to_owned(),
        from: status::breaker(transition.from),
        to: status::breaker(transition.to),
        generation: transition.generation,
    };
    if let Some(bytes) = frame::event("transition", &transition) {
        feed.send(Frame::Event(bytes));
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;

    use super::*;

    #[tokio::test]
    async fn a_stream_ends_with_the_service_even_if_it_had_fallen_behind() {
        let feed = Feed::new();
        let stream = feed.stream().unwrap();
        for number in 0..100 {
            feed.send(Frame::Event(format!("{number}").into()));
        }
        feed.send(Frame::End);
        let read: Vec<Bytes> = stream.collect().await;
        assert_eq!(read.len(), BEHIND - 1);
        assert_eq!(read.last().unwrap(), "99");
    }

    #[tokio::test]
    async fn a_place_is_free_again_once_a_stream_is_left() {
        let feed = Feed::new();
        let mut streams: Vec<_> = (0..STREAMS).map(|_| feed.stream().unwrap()).collect();
        assert!(feed.stream().is_none());
        streams.pop();
        assert!(feed.stream().is_some());
    }
}
