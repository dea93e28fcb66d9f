//! A timer that costs nothing until it is first waited for: an answer that is there at once needs
//! no entry in the runtime's timer wheel.
//!
//! It is not subject to tokio's cooperative budget: an operation that always has more to read would
//! use that up at each poll, and a timer that then says "not yet" would never end it.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tokio::task::unconstrained;
use tokio::time::{Instant, Sleep, sleep_until};

pin_project! {
    #[project = AlarmProj]
    #[derive(Debug)]
    pub(crate) enum Alarm {
        Unset { at: Instant },
        Set { #[pin] sleep: Sleep },
    }
}

impl Alarm {
    #[inline]
    pub(crate) fn at(at: Instant) -> Self {
        Self::Unset { at }
    }
}

impl Future for Alarm {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let AlarmProj::Unset { at } = self.as_mut().project() {
            let sleep = sleep_until(*at);
            self.set(Self::Set { sleep });
        }
        match self.project() {
            AlarmProj::Set { sleep } => pin!(unconstrained(sleep)).poll(cx),
            AlarmProj::Unset { .. } => Poll::Pending,
        }
    }
}
