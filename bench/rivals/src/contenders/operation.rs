//! What the dependency does with a call, and the count of the calls that reach it.

use std::future::pending;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

/// The error of an operation that fails.
#[derive(Clone, Copy, Debug)]
pub struct Broken;

/// What the dependency does with a call.
#[derive(Clone, Debug)]
pub enum Does {
    /// Answers at once.
    Answer,
    /// Answers after this time.
    AnswerAfter(Duration),
    /// Answers when the gate opens.
    AnswerAt(Gate),
    /// Fails at once.
    Fail,
    /// Fails when the gate opens.
    FailAt(Gate),
    /// Never comes back.
    Hang,
    /// Panics.
    Panic,
}

/// Holds operations back until a probe wants them to go on.
#[derive(Clone, Debug)]
pub struct Gate {
    open: watch::Sender<bool>,
}

/// One call to the dependency. It has reached it once its future has been polled.
#[derive(Clone, Debug)]
pub struct Operation {
    /// What becomes of it.
    pub does: Does,
    /// Counts it.
    pub reached: Arc<AtomicU32>,
}

impl Gate {
    /// A gate that is shut.
    pub fn shut() -> Self {
        Self {
            open: watch::Sender::new(false),
        }
    }

    /// Lets everything go on, also what comes later.
    pub fn open(&self) {
        self.open.send_replace(true);
    }

    async fn pass(&self) {
        // Fails only if all senders are gone, and `self` is one.
        let _ = self.open.subscribe().wait_for(|open| *open).await;
    }
}

impl Operation {
    /// Calls the dependency.
    ///
    /// # Errors
    /// If it shall fail.
    pub async fn run(self) -> Result<(), Broken> {
        self.reached.fetch_add(1, Ordering::Relaxed);
        match self.does {
            Does::Answer => Ok(()),
            Does::AnswerAfter(time) => {
                sleep(time).await;
                Ok(())
            }
            Does::AnswerAt(gate) => {
                gate.pass().await;
                Ok(())
            }
            Does::Fail => Err(Broken),
            Does::FailAt(gate) => {
                gate.pass().await;
                Err(Broken)
            }
            Does::Hang => pending().await,
            // Unwinds as any panic does, without the hook's message across the table.
            Does::Panic => resume_unwind(Box::new("the operation panics")),
        }
    }
}
