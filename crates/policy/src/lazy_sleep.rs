//! A timer that costs nothing until it is first waited for: an answer that is there at once needs
//! no entry in the runtime's timer wheel. And no room for one: what holds one is moved from layer to layer
//! before it is waited for, so the timer is in a box, and what has to wait pays for that.
//!
//! It is not subject to tokio's cooperative budget: an operation that always has more to read would
//! use that up at each poll, and a timer that then says "not yet" would never end it.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use tokio::task::unconstrained;
use tokio::time::{Instant, Sleep, sleep_until};

#[derive(Debug)]
pub(crate) enum LazySleep {
    Unset(Instant),
    Set(Pin<Box<Sleep>>),
}

impl LazySleep {
    #[inline]
    pub(crate) fn at(at: Instant) -> Self {
        Self::Unset(at)
    }
}

impl Future for LazySleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match &mut *self {
                Self::Unset(at) => *self = Self::Set(Box::pin(sleep_until(*at))),
                Self::Set(sleep) => return pin!(unconstrained(sleep.as_mut())).poll(cx),
            }
        }
    }
}
