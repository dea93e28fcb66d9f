//! A timer that costs nothing until it is first waited for: an answer that is there at once needs
//! no entry in the runtime's timer wheel. And no room for one: what holds it is moved before it is
//! waited for, so the timer is in a box, and what has to wait pays for that.
//!
//! It is not subject to tokio's cooperative budget: an operation that always has more to read would
//! use that up at each poll, and a timer that then says "not yet" would never end it.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use tokio::task::unconstrained;
use tokio::time::{Instant, Sleep, sleep_until};

#[derive(Debug)]
pub(crate) struct LazySleep(Option<Pin<Box<Sleep>>>);

impl LazySleep {
    #[inline]
    pub(crate) fn new() -> Self {
        Self(None)
    }

    /// Ready at `at`, which is asked for once.
    pub(crate) fn poll(&mut self, at: impl FnOnce() -> Instant, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(at())));
        pin!(unconstrained(sleep.as_mut())).poll(cx)
    }
}
