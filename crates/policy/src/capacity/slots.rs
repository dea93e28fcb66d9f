//! The slots of one bulkhead, shared by all calls to its dependency.
//!
//! A slot that is kept, or a wait for one, is a guard: dropping it gives it back, whatever the reason. An attempt gives
//! back by itself what it took ([`Claim::Taken`]).

use std::task::{Context, Waker};
use std::time::Duration;

use tokio::time::Instant;

use super::adaptive::{Adaptive, Sample, Signal};
use super::queue::{Entry, Number, Queue, Turn};
use crate::config::BulkheadConfig;
use crate::event::{Event, RejectedBy};
use crate::foreign;
use crate::handle::Handle;
use crate::lock::lock;
use crate::nanoseconds::nanoseconds;
use crate::priority::Priority;
use crate::reporter::Reporter;
use crate::sync::{AtomicBool, AtomicU64, Mutex, Ordering};

/// The slots of one bulkhead. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Slots {
    shared: Handle<Shared>,
}

#[derive(Debug)]
struct Shared {
    reporter: Reporter,
    // In nanoseconds.
    max_wait: AtomicU64,
    queue: Queue,
    // Whether there is one: asked by each attempt.
    is_adaptive: AtomicBool,
    // `None`: the limit stays as it is.
    adaptive: Mutex<Option<Adaptive>>,
}

/// A slot, until dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    slots: Slots,
}

/// A wait for a slot, until dropped or exchanged for a [`Permit`].
#[derive(Debug)]
pub(crate) struct Wait {
    // `None` once exchanged.
    claim: Option<(Slots, Number)>,
}

/// What has become of a wait.
pub(crate) enum WaitState {
    Admitted(Permit),
    Waiting,
    Shed,
}

pub(crate) enum Claim {
    /// A slot, to be given back by [`Slots::give_back`].
    Taken,
    Wait(Wait),
    Refused(RejectedBy),
}

impl Slots {
    /// The slots that `config` grants.
    pub(crate) fn new(config: &BulkheadConfig, reporter: Reporter) -> Self {
        let max = config.max_concurrent;
        let now = Instant::now();
        let adaptive = config.adaptive.as_ref();
        let adaptive = adaptive.map(|config| Adaptive::new(config, max, now));
        let limit = adaptive.as_ref().map_or(max, Adaptive::limit);
        let queue = Queue::new(limit, config.max_waiting);
        Self {
            shared: Handle::new(Shared {
                reporter,
                max_wait: AtomicU64::new(nanoseconds(config.max_wait)),
                queue,
                is_adaptive: AtomicBool::new(adaptive.is_some()),
                adaptive: Mutex::new(adaptive),
            }),
        }
    }

    /// As many slots as `config` grants from now on. An attempt that holds one keeps it, and a limit that was found stays.
    pub(crate) fn reconfigure(&self, config: &BulkheadConfig) {
        let max = config.max_concurrent;
        let shared = &*self.shared;
        let max_wait = nanoseconds(config.max_wait);
        shared.max_wait.store(max_wait, Ordering::Relaxed);
        shared.queue.set_max_waiting(config.max_waiting);
        let mut core = lock(&shared.adaptive);
        let now = Instant::now();
        match (&mut *core, &config.adaptive) {
            (Some(core), Some(config)) => core.reconfigure(config, max, now),
            (core, config) => *core = config.as_ref().map(|it| Adaptive::new(it, max, now)),
        }
        shared.is_adaptive.store(core.is_some(), Ordering::Relaxed);
        let limit = core.as_ref().map_or(max, Adaptive::limit);
        // Under the lock: of two changes the later one must hold.
        let woken = shared.queue.set_limit(limit);
        drop(core);
        wake(woken);
    }

    /// The same slots, by a handle that counts its own clones.
    pub(crate) fn fork(&self) -> Self {
        let shared = self.shared.fork();
        Self { shared }
    }

    /// Slots in all.
    #[inline]
    pub(crate) fn limit(&self) -> u32 {
        self.shared.queue.counter.count().limit
    }

    /// Slots taken, and attempts waiting for one.
    pub(crate) fn usage(&self) -> (u32, u32) {
        let count = self.shared.queue.counter.count();
        (count.in_flight, count.waiting)
    }

    /// What an attempt takes at the least, if that is measured and known.
    pub(crate) fn least_latency(&self) -> Option<Duration> {
        if !self.is_adaptive() {
            return None;
        }
        let least = lock(&self.shared.adaptive)
            .as_ref()
            .and_then(Adaptive::least)?;
        Duration::try_from_secs_f64(least).ok()
    }

    /// There are so many slots from now on.
    #[cfg(all(test, holdfast_loom))]
    pub(crate) fn set_limit(&self, limit: u32) {
        let woken = self.shared.queue.set_limit(limit);
        wake(woken);
    }

    pub(crate) fn max_wait(&self) -> Duration {
        Duration::from_nanos(self.shared.max_wait.load(Ordering::Relaxed))
    }

    /// Takes a slot if one is free, to be given back by [`give_back`](Self::give_back).
    #[inline]
    pub(crate) fn take(&self) -> bool {
        self.shared.queue.counter.take()
    }

    /// A slot, or a wait for one: only for who can be served within its `patience`, as far as that can be known.
    #[inline]
    pub(crate) fn claim(&self, priority: Priority, patience: impl FnOnce() -> Duration) -> Claim {
        if self.take() {
            Claim::Taken
        } else if self.shared.queue.has_line() {
            self.line_up(priority, patience())
        } else {
            Claim::Refused(RejectedBy::Bulkhead)
        }
    }

    /// A slot that was taken is free again.
    #[inline]
    pub(crate) fn give_back(&self) {
        wake(self.shared.queue.leave());
    }

    /// Whether it matters how long an attempt takes.
    #[inline]
    pub(crate) fn is_adaptive(&self) -> bool {
        self.shared.is_adaptive.load(Ordering::Relaxed)
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "far below what a double holds exactly"
    )]
    fn line_up(&self, priority: Priority, patience: Duration) -> Claim {
        let least = self.least_latency().unwrap_or_default();
        let limit = f64::from(self.limit().max(1));
        // An estimate; where latency is not measured nobody is told that it waits in vain.
        let wait = |turn: usize| least.mul_f64(turn as f64 / limit);
        let in_time = |turn| !patience.is_zero() && wait(turn) <= patience;
        match self.shared.queue.line_up(priority, in_time) {
            Entry::Admitted => Claim::Taken,
            Entry::Wait(number, shed) => {
                wake(shed);
                Claim::Wait(Wait {
                    claim: Some((self.clone(), number)),
                })
            }
            Entry::InVain => Claim::Refused(RejectedBy::Shed),
            Entry::Full => Claim::Refused(RejectedBy::Bulkhead),
        }
    }

    /// An attempt that was admitted at `admitted` is over at `ended`; it still holds its slot.
    pub(crate) fn learn(&self, admitted: Instant, ended: Instant, signal: Signal) {
        if !self.is_adaptive() {
            return;
        }
        let (in_flight, _) = self.usage();
        let mut adaptive = lock(&self.shared.adaptive);
        let Some(core) = &mut *adaptive else {
            return;
        };
        let changed = core.observe(Sample {
            admitted,
            ended,
            in_flight,
            signal,
        });
        // Under the lock: of two changes the later one must hold.
        let woken = changed.then(|| self.shared.queue.set_limit(core.limit()));
        drop(adaptive);
        wake(woken.into_iter().flatten());
    }

    pub(crate) fn emit_refused(&self, by: RejectedBy) {
        let reporter = &self.shared.reporter;
        let policy = reporter.policy();
        reporter.emit(&Event::Rejected { policy, by });
    }
}

impl Wait {
    /// The slot, once this wait is at its end; until then the task is woken when it is.
    pub(crate) fn poll_permit(&mut self, cx: &mut Context<'_>) -> WaitState {
        let Some((slots, number)) = &self.claim else {
            return WaitState::Shed;
        };
        match slots.shared.queue.turn(*number, cx.waker()) {
            Turn::Wait => WaitState::Waiting,
            turn => match (turn, self.claim.take()) {
                (Turn::Admitted, Some((slots, _))) => WaitState::Admitted(Permit { slots }),
                _ => WaitState::Shed,
            },
        }
    }
}

impl Permit {
    /// Holds a slot that was taken.
    pub(crate) fn new(slots: Slots) -> Self {
        Self { slots }
    }

    /// Whether it is one of these `slots`.
    pub(super) fn is_of(&self, slots: &Slots) -> bool {
        self.slots.shared.is(&slots.shared)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.slots.give_back();
    }
}

impl Drop for Wait {
    #[inline]
    fn drop(&mut self) {
        if let Some((slots, number)) = self.claim.take() {
            wake(slots.shared.queue.give_up(number));
        }
    }
}

/// Outside the lock: a waker may run the woken task's code.
fn wake(wakers: impl IntoIterator<Item = Waker>) {
    let run = |waker: Waker| foreign::run(|| waker.wake());
    wakers.into_iter().for_each(run);
}

#[cfg(test)]
mod tests;
