//! A timer that costs nothing until it is first waited for: an answer that is there at once needs
//! no entry in the runtime's timer wheel.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

pin_project! {
    #[derive(Debug)]
    pub(crate) struct Alarm {
        at: Instant,
        #[pin]
        sleep: Option<Sleep>,
    }
}

impl Alarm {
    pub(crate) fn at(at: Instant) -> Self {
        Self { at, sleep: None }
    }
}

impl Future for Alarm {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        if this.sleep.is_none() {
            this.sleep.set(Some(sleep_until(*this.at)));
        }
        this.sleep
            .as_pin_mut()
            .map_or(Poll::Ready(()), |sleep| sleep.poll(cx))
    }
}
