//! An attempt in the queue for a slot.

use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::Instant;

use super::terms::Terms;
use crate::capacity::{Permit, Slots, Wait, WaitState};
use crate::deadline::Deadline;
use crate::event::RejectedBy;
use crate::lazy_sleep::LazySleep;
use crate::parts::Parts;

#[derive(Debug)]
pub(super) struct Waiting {
    wait: Wait,
    timer: LazySleep,
    patience: Instant,
    // A slot that comes later leaves no time for the attempt.
    latest: Deadline,
}

impl Waiting {
    pub(super) fn new<C>(
        parts: &Parts<C>,
        slots: &Slots,
        terms: &Terms,
        wait: Wait,
        now: Instant,
    ) -> Box<Self> {
        let patience = patience(parts, slots, terms, now);
        Box::new(Self {
            wait,
            timer: LazySleep::new(),
            patience: Deadline::at(now).plus(patience).instant(),
            latest: latest(parts, terms),
        })
    }

    /// The slot, and when it came; or why there is none.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(Permit, Instant), RejectedBy>> {
        match self.wait.poll_permit(cx) {
            WaitState::Admitted(permit) => {
                let now = Instant::now();
                let in_time = now <= self.latest.instant();
                let slot = in_time.then_some((permit, now));
                Poll::Ready(slot.ok_or(RejectedBy::Bulkhead))
            }
            WaitState::Waiting => {
                ready!(self.timer.poll(|| self.patience, cx));
                Poll::Ready(Err(RejectedBy::Bulkhead))
            }
            WaitState::Shed => Poll::Ready(Err(RejectedBy::Shed)),
        }
    }
}

/// How long one who comes `now` can wait for a slot.
pub(super) fn patience<C>(
    parts: &Parts<C>,
    slots: &Slots,
    terms: &Terms,
    now: Instant,
) -> Duration {
    latest(parts, terms).remaining(now).min(slots.max_wait())
}

fn latest<C>(parts: &Parts<C>, terms: &Terms) -> Deadline {
    terms.deadline(&parts.config).less(parts.config.needed())
}
