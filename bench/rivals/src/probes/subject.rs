//! A breaker under test and the dependency behind it, with the steps that probes are made of.
//!
//! All it knows of the breaker is whether calls reach the dependency: that is what users notice, and
//! the only thing that every crate lets one see.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::task::{JoinHandle, yield_now};
use tokio::time::sleep;

use super::ProbeError;
use crate::contenders::{Answer, Breaker, Contender, Does, Operation, Setup, Trouble};

/// More failures than any setup needs to open.
const ENOUGH: u32 = 100;
/// Open times are measured by two clocks, and timers have a millisecond's grain.
const MARGIN: Duration = Duration::from_millis(20);
/// A breaker that refuses healthy calls for so many open times will do so for good.
const PATIENCE: u32 = 10;

/// A breaker and what is behind it.
pub struct Subject {
    breaker: Breaker,
    reached: Arc<AtomicU32>,
    setup: Setup,
}

impl Subject {
    pub(super) fn new(contender: &dyn Contender, setup: Setup) -> Result<Self, ProbeError> {
        let breaker = contender.breaker(&setup);
        Ok(Self {
            breaker: breaker.map_err(ProbeError::Configuration)?,
            reached: Arc::default(),
            setup,
        })
    }

    /// How many calls have reached the dependency.
    pub(super) fn reached(&self) -> u32 {
        self.reached.load(Ordering::Relaxed)
    }

    /// One call, to its end.
    pub(super) async fn call(&self, does: Does) -> Answer {
        let reached = Arc::clone(&self.reached);
        (self.breaker)(Operation { does, reached }).await
    }

    /// One call, on a task of its own that has yet to run.
    pub(super) fn spawn(&self, does: Does) -> JoinHandle<Answer> {
        let reached = Arc::clone(&self.reached);
        tokio::spawn((self.breaker)(Operation { does, reached }))
    }

    /// One call, on a task of its own, which has reached the dependency.
    pub(super) async fn start(&self, does: Does) -> Result<JoinHandle<Answer>, ProbeError> {
        let before = self.reached();
        let task = self.spawn(does);
        while self.reached() == before {
            if task.is_finished() {
                return Err(ProbeError::Unreached("it is refused"));
            }
            yield_now().await;
        }
        Ok(task)
    }

    /// Several of them.
    pub(super) async fn start_all(
        &self,
        calls: u32,
        does: &Does,
    ) -> Result<Vec<JoinHandle<Answer>>, ProbeError> {
        let mut tasks = Vec::new();
        for _ in 0..calls {
            tasks.push(self.start(does.clone()).await?);
        }
        Ok(tasks)
    }

    /// Whether a call reaches the dependency.
    pub(super) async fn passes(&self) -> bool {
        self.call(Does::Answer).await.is_ok()
    }

    /// Fails until a call is refused: after how many failures? `None`: not after `most`.
    pub(super) async fn failures_to_open(&self, most: u32) -> Option<u32> {
        for failures in 0..=most {
            if self.call(Does::Fail).await == Err(Trouble::Refused) {
                return Some(failures);
            }
        }
        None
    }

    /// Opens it by failures and waits until it must let a call pass.
    pub(super) async fn open_until_half_open(&self) -> Result<(), ProbeError> {
        let opened = self.failures_to_open(ENOUGH).await;
        opened.ok_or(ProbeError::NeverOpened)?;
        sleep(self.setup.open_for + MARGIN).await;
        Ok(())
    }

    /// Good calls until it is closed again. recloser needs two, the others one.
    pub(super) async fn recover(&self) -> Result<(), ProbeError> {
        for _ in 0..2 {
            if !self.passes().await {
                return Err(ProbeError::Unreached("it does not recover"));
            }
        }
        Ok(())
    }

    /// Whether it goes on refusing although nothing fails any more.
    pub(super) async fn is_wedged(&self) -> bool {
        for _ in 0..PATIENCE {
            if self.passes().await {
                return false;
            }
            sleep(self.setup.open_for + MARGIN).await;
        }
        true
    }
}

/// Waits for calls to end, however they do.
pub(super) async fn end(tasks: Vec<JoinHandle<Answer>>) {
    for task in tasks {
        // A cancelled or panicking call ends here like any other.
        let _ = task.await;
    }
}
