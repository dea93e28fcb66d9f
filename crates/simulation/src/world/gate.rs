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
pub enum Door {
    /// All goes through.
    Open,
    /// What comes waits.
    Shut,
    /// What comes is refused.
    Refusing,
    /// For good; nothing will ever go on.
    Gone,
}

/// A door with those who wait before it, woken in the order they came. Clones are the same.
#[derive(Debug, Clone)]
pub struct Gate(Arc<(AtomicU8, Notify)>);

impl Default for Gate {
    fn default() -> Self {
        Self(Arc::new((AtomicU8::new(Door::Open as u8), Notify::new())))
    }
}

impl Gate {
    /// How it stands.
    #[must_use]
    pub fn door(&self) -> Door {
        match self.0.0.load(Ordering::Relaxed) {
            0 => Door::Open,
            1 => Door::Shut,
            2 => Door::Refusing,
            _ => Door::Gone,
        }
    }

    /// Moves it. What is gone stays so.
    pub fn set(&self, door: Door) {
        if self.door() != Door::Gone {
            self.0.0.store(door as u8, Ordering::Relaxed);
            self.0.1.notify_waiters();
        }
    }

    /// Waits while it is shut. False: it refuses.
    pub async fn pass(&self) -> bool {
        loop {
            let moved = self.0.1.notified();
            match self.door() {
                Door::Open => return true,
                Door::Refusing => return false,
                Door::Shut => moved.await,
                Door::Gone => pending().await,
            }
        }
    }

    /// Waits until it stands otherwise than `door`.
    pub async fn leaves(&self, door: Door) {
        loop {
            let moved = self.0.1.notified();
            if self.door() != door {
                return;
            }
            moved.await;
        }
    }

    /// Waits until it stands so.
    pub async fn becomes(&self, door: Door) {
        loop {
            let moved = self.0.1.notified();
            if self.door() == door {
                return;
            }
            moved.await;
        }
    }

    /// Runs `future` only while it is open.
    pub async fn holding<F: Future>(&self, future: F) -> F::Output {
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
