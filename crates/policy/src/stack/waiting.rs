//! An attempt in the queue for a slot.

use std::task::{Context, Poll, ready};

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
    /// `None`: the slot would come too late, which the observers are told.
    pub(super) fn new<C>(
        parts: &Parts<C>,
        slots: &Slots,
        terms: &Terms,
        wait: Wait,
        now: Instant,
    ) -> Option<Box<Self>> {
        let latest = terms.deadline(&parts.config).less(parts.config.needed());
        let turn = Deadline::at(now).plus(slots.expected_wait(terms.priority));
        if latest <= Deadline::at(now) || latest < turn {
            drop(wait);
            slots.emit_refused(RejectedBy::Shed);
            return None;
        }
        let patience = Deadline::at(now).plus(slots.max_wait()).earlier(latest);
        Some(Box::new(Self {
            wait,
            timer: LazySleep::new(),
            patience: patience.instant(),
            latest,
        }))
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
