//! A timer that costs nothing until it is first waited for: an answer that is there at once needs
//! no entry in the runtime's timer wheel.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
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
            AlarmProj::Set { sleep } => sleep.poll(cx),
            AlarmProj::Unset { .. } => Poll::Pending,
        }
    }
}
