//! Doors that the world shuts: a replica that is frozen or dead, a link that is cut, a disk that hangs.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::Poll;

use tokio::sync::Notify;

/// How a door stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Door {
    /// All goes through. The first, as that of a new gate is.
    Open,
    /// What comes waits.
    Shut,
    /// What comes is refused.
    Refusing,
    /// For good; nothing will ever go on.
    Gone,
}

/// A door with those who wait before it, woken in the order they came. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gate(Arc<(AtomicU8, Notify)>);

impl Gate {
    /// How it stands.
    pub(crate) fn door(&self) -> Door {
        match self.0.0.load(Ordering::Relaxed) {
            0 => Door::Open,
            1 => Door::Shut,
            2 => Door::Refusing,
            _ => Door::Gone,
        }
    }

    /// Moves it. What is gone stays so.
    pub(crate) fn set(&self, door: Door) {
        if self.door() != Door::Gone {
            self.0.0.store(door as u8, Ordering::Relaxed);
            self.0.1.notify_waiters();
        }
    }

    /// Waits while it is shut. False: it refuses.
    pub(crate) async fn pass(&self) -> bool {
        match self.until(|door| door != Door::Shut).await {
            Door::Open => true,
            Door::Refusing => false,
            Door::Shut | Door::Gone => pending().await,
        }
    }

    /// Waits until it stands as is `wanted`.
    pub(crate) async fn until(&self, wanted: impl Fn(Door) -> bool) -> Door {
        loop {
            let moved = self.0.1.notified();
            let door = self.door();
            if wanted(door) {
                return door;
            }
            moved.await;
        }
    }

    /// Runs `future` only while it is open.
    pub(crate) async fn holding<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        loop {
            self.pass().await;
            let turn = poll_fn(|context| match self.door() {
                Door::Open => future.as_mut().poll(context).map(Some),
                _ => Poll::Ready(None),
            });
            if let Some(output) = turn.await {
                return output;
            }
        }
    }
}
