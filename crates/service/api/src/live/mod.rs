//! What those who watch get to know beyond `/status`: how long attempts take, and each change of a breaker as it happens.
//!
//! Fed by the policies' events on the callers' own tasks, so it must cost next to nothing: an attempt writes one word; a
//! transition, which is rare, goes to a bounded channel that nobody need listen to.

mod recent;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use holdfast_policy::{BreakerState, Event, HedgeOutcome, Observer, Outcome};
use holdfast_wire::{Hedges, Latencies, Latency};
use tokio::sync::broadcast;
use tokio::time::Instant;

use self::recent::Recent;

/// Transitions that a listener may be behind before it misses some.
const TRANSITIONS: usize = 64;

/// A breaker that changed its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Transition {
    pub(crate) dependency: &'static str,
    pub(crate) from: BreakerState,
    pub(crate) to: BreakerState,
    pub(crate) generation: u64,
}

/// Both dependencies under watch. Clones share it.
#[derive(Clone)]
pub(crate) struct Live {
    pub(crate) worker: Watch,
    pub(crate) database: Watch,
}

/// Observes the policy of one dependency. Clones share what they saw.
#[derive(Clone)]
pub(crate) struct Watch {
    dependency: &'static str,
    recent: Arc<Recent>,
    hedges: Arc<[AtomicU64; 2]>,
    transitions: broadcast::Sender<Transition>,
}

impl Live {
    /// Nothing seen yet.
    #[must_use]
    pub(crate) fn new() -> Self {
        let (transitions, _) = broadcast::channel(TRANSITIONS);
        let watch = |dependency| Watch {
            dependency,
            recent: Arc::new(Recent::new(Instant::now())),
            hedges: Arc::default(),
            transitions: transitions.clone(),
        };
        Self {
            worker: watch("worker"),
            database: watch("database"),
        }
    }

    /// The transitions of both, from now on.
    #[must_use]
    pub(crate) fn transitions(&self) -> broadcast::Receiver<Transition> {
        self.worker.transitions.subscribe()
    }

    /// How long the attempts of each took lately.
    #[must_use]
    pub(crate) fn latencies(&self, now: Instant) -> Latencies {
        let show = |watch: &Watch| -> Latency { watch.recent.show(now) };
        Latencies {
            worker: show(&self.worker),
            database: show(&self.database),
        }
    }
}

impl Watch {
    /// What became of second attempts.
    #[must_use]
    pub(crate) fn hedges(&self) -> Hedges {
        let [won, lost] = self.hedges.each_ref().map(|it| it.load(Ordering::Relaxed));
        Hedges { won, lost }
    }
}

impl Observer for Watch {
    fn on_event(&self, event: &Event) {
        match *event {
            // What its caller cut short, or a defect of ours, says nothing of how long the dependency takes.
            Event::Attempt {
                outcome: Outcome::Cancelled | Outcome::Panicked,
                ..
            } => {}
            Event::Attempt { elapsed, .. } => self.recent.add(elapsed, Instant::now()),
            Event::Hedge { outcome, .. } => {
                let [won, lost] = &*self.hedges;
                let count = if outcome == HedgeOutcome::Won {
                    won
                } else {
                    lost
                };
                count.fetch_add(1, Ordering::Relaxed);
            }
            Event::Transition {
                from,
                to,
                generation,
                ..
            } => {
                // Fails where nobody listens, and that is fine.
                let _ = self.transitions.send(Transition {
                    dependency: self.dependency,
                    from,
                    to,
                    generation,
                });
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn attempt(outcome: Outcome) -> Event<'static> {
        Event::Attempt {
            policy: "worker",
            number: 1,
            outcome,
            elapsed: Duration::from_millis(20),
        }
    }

    #[test]
    fn attempts_count_for_their_dependency_alone_and_not_when_their_caller_left() {
        let live = Live::new();
        live.worker.on_event(&attempt(Outcome::TimedOut));
        live.worker.on_event(&attempt(Outcome::Cancelled));
        let shown = live.latencies(Instant::now());
        assert_eq!((shown.worker.attempts, shown.database.attempts), (1, 0));
        assert_eq!(shown.worker.p50_seconds, Some(0.02));
    }

    #[test]
    fn hedges_are_counted_by_whether_they_answered_first() {
        let live = Live::new();
        for outcome in HedgeOutcome::ALL {
            live.worker.on_event(&Event::Hedge {
                policy: "worker",
                number: 2,
                outcome,
            });
        }
        assert_eq!(live.worker.hedges(), Hedges { won: 1, lost: 2 });
    }

    #[test]
    fn transitions_of_both_reach_whoever_listens_by_then() {
        let live = Live::new();
        let transition = |policy, generation| Event::Transition {
            policy,
            from: BreakerState::Closed,
            to: BreakerState::Open,
            generation,
            because: None,
        };
        live.worker.on_event(&transition("worker", 1));
        let mut transitions = live.transitions();
        live.database.on_event(&transition("database", 1));
        live.worker.on_event(&transition("worker", 2));
        let mut next = || {
            let seen = transitions.try_recv().unwrap();
            (seen.dependency, seen.generation)
        };
        assert_eq!([next(), next()], [("database", 1), ("worker", 2)]);
    }
}
