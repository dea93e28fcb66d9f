//! Breaker, limit and attempt timeout around one attempt: what it holds of them, in the order in which it asks.
//!
//! Whatever becomes of the attempt, its guard ends in [`finish`](Guard::finish), or in [`abandon`](Guard::abandon)
//! and [`release`](Guard::release): the future that holds it sees to that when it is dropped.

use std::task::{Context, Poll, ready};

use tokio::time::Instant;

use super::attempt::End;
use super::refused::Refused;
use super::terms::Terms;
use super::waiting::{self, Waiting};
use crate::breaker::{Stopwatch, Ticket};
use crate::capacity::{Claim, Permit, Reserved, Signal};
use crate::class::{AttemptVerdict, Health};
use crate::lazy_sleep::LazySleep;
use crate::now::Now;
use crate::parts::Parts;
use crate::timeout::{Cut, cut};

#[derive(Debug)]
pub(super) struct Guard {
    stage: Stage,
    // `None`: the breaker is left out, or has refused.
    ticket: Option<Ticket>,
    // One of the policy's slots is to be given back.
    taken: bool,
    // A slot that gives itself back.
    held: Option<Held>,
    // While it is in the queue. In a box, for few attempts have to wait.
    waiting: Option<Box<Waiting>>,
    // When it began, and then when the limit let it pass.
    since: Instant,
    timer: LazySleep,
    // The dependency has been touched.
    touched: bool,
}

/// How far it has come.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    /// In the queue.
    Waiting,
    Admitted,
    Refused(Refused),
    Running,
    Over,
}

/// A slot that was waited for, or taken ahead; until dropped.
#[derive(Debug)]
enum Held {
    Handed { _permit: Permit },
    Ahead { _reserved: Reserved },
}

impl Guard {
    /// Of no attempt.
    #[inline]
    pub(super) fn none(now: Instant) -> Self {
        Self::at(Stage::Over, None, now)
    }

    /// Asks for the attempt `number` of its call.
    ///
    /// Inlined, so that its values stay in registers until they are written where the guard stays: what is written in
    /// pieces and then moved as a whole has the processor wait for the pieces.
    #[inline(always)]
    pub(super) fn begin<C>(parts: &Parts<C>, terms: &Terms, number: u32, now: Instant) -> Self {
        let ticket = match &parts.circuit {
            None => None,
            Some(circuit) => match circuit.admit(&Now::from(now), || parts.limit()) {
                Ok(pass) => Some(Ticket::new(pass, number)),
                Err(refusal) => {
                    let stage = Stage::Refused(Refused::ByBreaker(refusal));
                    return Self::at(stage, None, now);
                }
            },
        };
        let mut guard = Self::at(Stage::Admitted, ticket, now);
        let Some(slots) = &parts.slots else {
            return guard;
        };
        // One of another bulkhead would let this one be overfull.
        if let Some(ahead) = terms.slot.as_ref().filter(|slot| slot.is_of(slots)) {
            let _reserved = ahead.clone();
            guard.held = Some(Held::Ahead { _reserved });
            return guard;
        }
        let patience = || waiting::patience(parts, slots, terms, now);
        match slots.claim(terms.priority, patience) {
            Claim::Taken => guard.taken = true,
            Claim::Wait(wait) => {
                guard.waiting = Some(Waiting::new(parts, slots, terms, wait, now));
                guard.stage = Stage::Waiting;
            }
            Claim::Refused(by) => {
                slots.emit_refused(by);
                guard.stage = Stage::Refused(Refused::ByLimit);
            }
        }
        guard
    }

    /// Asks for the attempt `number` of its call beside one that takes long. It needs a slot of its own and nobody makes
    /// way for it. A token comes last, so that none is spent on what something else forbids.
    pub(super) fn beside<C>(parts: &Parts<C>, terms: &Terms, number: u32) -> Option<Self> {
        let now = Instant::now();
        let deadline = terms.deadline(&parts.config);
        if !deadline.fits(parts.config.needed(), now) {
            return None;
        }
        let ticket = match &parts.circuit {
            Some(circuit) => Some(Ticket::new(circuit.pass_freely()?, number)),
            None => None,
        };
        let mut guard = Self::at(Stage::Admitted, ticket, now);
        if let Some(slots) = &parts.slots {
            guard.taken = slots.take();
            if !guard.taken {
                return None;
            }
        }
        if !parts.pay_hedge(now) {
            guard.release(parts);
            return None;
        }
        Some(guard)
    }

    #[inline]
    pub(super) fn stage(&self) -> Stage {
        self.stage
    }

    /// When it was let pass to the dependency; `None` until it has touched it.
    #[inline]
    pub(super) fn admitted(&self) -> Option<Instant> {
        self.touched.then_some(self.since)
    }

    /// How many attempts this is to the dependency.
    #[inline]
    pub(super) fn attempts(&self) -> u32 {
        u32::from(self.touched)
    }

    /// From here on the dependency is touched.
    #[inline]
    pub(super) fn touch(&mut self) {
        self.touched = true;
        self.stage = Stage::Running;
    }

    /// It is over, or given up.
    #[inline]
    pub(super) fn end(&mut self) {
        self.stage = Stage::Over;
    }

    /// Ready once there is nothing more to wait for in the queue.
    pub(super) fn poll_slot<C>(&mut self, parts: &Parts<C>, cx: &mut Context<'_>) -> Poll<()> {
        let (Some(waiting), Some(slots)) = (&mut self.waiting, &parts.slots) else {
            return Poll::Ready(());
        };
        self.stage = match ready!(waiting.poll(cx)) {
            Ok((_permit, now)) => {
                self.held = Some(Held::Handed { _permit });
                self.since = now;
                Stage::Admitted
            }
            Err(by) => {
                slots.emit_refused(by);
                Stage::Refused(Refused::ByLimit)
            }
        };
        self.waiting = None;
        Poll::Ready(())
    }

    /// Ready when the attempt has to be cut.
    pub(super) fn poll_cut<C>(
        &mut self,
        parts: &Parts<C>,
        terms: &Terms,
        cx: &mut Context<'_>,
    ) -> Poll<Cut> {
        let due = || {
            let deadline = terms.deadline(&parts.config);
            cut(parts.config.attempt_timeout, self.since, deadline)
        };
        ready!(self.timer.poll(|| due().0, cx));
        Poll::Ready(due().1)
    }

    /// Tells an adaptive limit how the attempt ended; it still holds its slot.
    #[inline]
    pub(super) fn learn<C>(&self, parts: &Parts<C>, end: &End) {
        if let Some(slots) = parts.adaptive_slots() {
            let now = end.now.instant();
            let since = self.since.checked_add(end.verdict.elsewhere());
            slots.learn(since.unwrap_or(now).min(now), now, signal(&end.verdict));
        }
    }

    /// Gives the slot back, and tells the breaker how the attempt ended. If it failed and the breaker is open now, what
    /// remains of the open time is when to come back. Inlined, for it is on the way of every attempt.
    #[inline(always)]
    pub(super) fn finish<C>(&mut self, parts: &Parts<C>, end: &mut End) {
        self.release(parts);
        self.stage = Stage::Over;
        if let (Some(circuit), Some(ticket)) = (&parts.circuit, self.ticket.take()) {
            let watch = Stopwatch::new(self.since, &end.now);
            let open_for = ticket.finish(circuit, &end.verdict, &watch);
            end.retry_after = end.retry_after.max(open_for);
        }
    }

    /// The attempt ends without a result: that is an outcome as well, and a limit learns how long nobody answered.
    pub(super) fn abandon<C>(&mut self, parts: &Parts<C>, panicked: bool) {
        let now = Now::on_demand();
        if let Some((circuit, ticket)) = parts.circuit.as_ref().zip(self.ticket.take()) {
            let watch = Stopwatch::new(self.since, &now);
            if self.touched {
                ticket.abandon(circuit, panicked, &watch);
            } else {
                ticket.give_back(circuit, &now);
            }
        }
        self.waiting = None;
        let running = matches!(self.stage, Stage::Running);
        if let Some(slots) = parts.adaptive_slots().filter(|_| running) {
            slots.learn(self.since, now.instant(), Signal::GivenUp);
        }
    }

    /// Gives the slot back: free is it only when the attempt is gone.
    #[inline]
    pub(super) fn release<C>(&mut self, parts: &Parts<C>) {
        if let Some(slots) = parts.slots.as_ref().filter(|_| self.taken) {
            self.taken = false;
            slots.give_back();
        }
        if self.held.is_some() {
            self.held = None;
        }
    }

    /// Without a slot.
    #[inline]
    fn at(stage: Stage, ticket: Option<Ticket>, now: Instant) -> Self {
        Self {
            stage,
            ticket,
            taken: false,
            held: None,
            waiting: None,
            since: now,
            timer: LazySleep::new(),
            touched: false,
        }
    }
}

fn signal(verdict: &AttemptVerdict) -> Signal {
    match verdict {
        AttemptVerdict::TimedOut => Signal::Overloaded,
        AttemptVerdict::Cut => Signal::GivenUp,
        AttemptVerdict::Finished(class) if class.throttled => Signal::Overloaded,
        AttemptVerdict::Finished(class) if class.health == Health::Success => Signal::Answered,
        AttemptVerdict::Finished(_) | AttemptVerdict::Rejected => Signal::Nothing,
    }
}
