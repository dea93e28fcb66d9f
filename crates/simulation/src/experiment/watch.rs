//! What is seen of the system from outside, several times a second, and each change of a breaker.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use holdfast_checker::trial::{Sample, Transition};
use holdfast_policy::BreakerState;
use tokio::task::{AbortHandle, spawn_local};
use tokio::time::{Instant, interval};

use crate::api::Api;
use crate::postgres::rows::Tables;
use crate::replica::Surroundings;

/// How exactly a change of state is told.
const LOOKS: Duration = Duration::from_millis(10);
/// A sample in so many looks.
const SAMPLED: u64 = 10;
const DEPENDENCIES: [&str; 2] = ["worker", "database"];

/// Somebody who watches.
pub(super) struct Watch {
    seen: Rc<RefCell<Seen>>,
    task: AbortHandle,
}

#[derive(Default)]
struct Seen {
    samples: Vec<Sample>,
    transitions: Vec<Transition>,
    breakers: Option<[BreakerState; 2]>,
}

impl Watch {
    /// From `epoch` on.
    pub(super) fn begin(api: &Api, world: &Surroundings, epoch: Instant) -> Self {
        let seen = Rc::new(RefCell::new(Seen::default()));
        let (api, world) = (api.clone(), world.clone());
        let watched = Rc::clone(&seen);
        let task = spawn_local(async move {
            let mut looks = interval(LOOKS);
            for look in 0.. {
                looks.tick().await;
                let mut seen = watched.borrow_mut();
                seen.compare(api.breakers(), epoch.elapsed());
                if look % SAMPLED == 0 {
                    seen.samples.push(Sample {
                        at: epoch.elapsed(),
                        worker_arrivals: Some(world.worker.arrivals()),
                        open_work: Some(world.server.look(Tables::open) as u64),
                        journal_entries: Some(api.entries()),
                        ejected: None,
                    });
                }
            }
        });
        Self {
            seen,
            task: task.abort_handle(),
        }
    }

    pub(super) fn end(self) -> (Vec<Sample>, Vec<Transition>) {
        self.task.abort();
        let seen = self.seen.take();
        (seen.samples, seen.transitions)
    }
}

impl Seen {
    /// A process that has just started begins anew.
    fn compare(&mut self, now: Option<[BreakerState; 2]>, at: Duration) {
        if let (Some(before), Some(now)) = (self.breakers, now) {
            for ((dependency, before), now) in DEPENDENCIES.into_iter().zip(before).zip(now) {
                if before != now {
                    self.transitions.push(Transition {
                        at,
                        dependency: dependency.to_owned(),
                        from: before.as_str().to_owned(),
                        to: now.as_str().to_owned(),
                    });
                }
            }
        }
        self.breakers = now;
    }
}
