//! The journal's thread: it alone touches the disk, so that only it can hang there. It waits for jobs as a task does, so
//! that it may as well be one where no disk can hang.
//!
//! Any storage error ends the store's handle, for reads too. The thread then drops it, tells everybody who asks why,
//! and opens the file again: at once the first time, then after pauses that grow. It ends when the last caller's end
//! of the queue is gone.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use futures_util::FutureExt;
use tokio::time::{Instant, timeout_at};

use super::JournalLimits;
use super::ballast::{Ballast, pause};
use super::error::{FaultKind, JournalError, StorageFault};
use super::files::Files;
use super::group_commit::GroupCommit;
use super::pins::Pins;
use super::queue::{Jobs, Write};
use super::quota;
use super::stats::SharedStats;
use super::tables::Tables;

/// What the thread owns.
pub(super) struct Thread<F> {
    pub(super) files: F,
    pub(super) jobs: Jobs,
    pub(super) stats: Arc<SharedStats>,
    pub(super) pins: Pins,
    pub(super) max_bytes: u64,
    pub(super) group_commit: GroupCommit,
    pub(super) ballast: Ballast,
    /// The file, while it is open.
    pub(super) tables: Option<Tables>,
    /// Writes that found the disk full, to be tried once more when the ballast's space is there.
    pub(super) again: VecDeque<Write>,
    /// Since the last commit.
    pub(super) failures: u32,
}

impl<F: Files> Thread<F> {
    pub(super) fn new(
        files: F,
        jobs: Jobs,
        stats: Arc<SharedStats>,
        pins: Pins,
        limits: JournalLimits,
    ) -> Self {
        let max_batch = usize::try_from(limits.max_batch).unwrap_or(usize::MAX);
        Self {
            files,
            jobs,
            stats,
            pins,
            max_bytes: limits.max_bytes,
            group_commit: GroupCommit::new(max_batch, quota::batch_bytes(limits.max_bytes)),
            ballast: Ballast::default(),
            tables: None,
            again: VecDeque::new(),
            failures: 0,
        }
    }

    /// Runs until no caller is left. How the first opening went is told to `first`, and if another process holds the
    /// folder then that is all.
    pub(super) async fn run(mut self, first: SyncSender<Option<FaultKind>>) {
        let mut first = Some(first);
        loop {
            let opened = self.open().inspect_err(|fault| self.lost(fault));
            if let Some(first) = first.take() {
                let kind = opened.as_ref().err().map(|fault| fault.kind);
                // Nobody listens any more if it took too long: then it is tried again like all else.
                if first.send(kind).is_ok() && kind == Some(FaultKind::InUse) {
                    return;
                }
            }
            if opened.is_ok() {
                let served = AssertUnwindSafe(self.serve()).catch_unwind().await;
                match served.unwrap_or_else(|payload| Err(StorageFault::panicked(payload.as_ref())))
                {
                    Ok(()) => return self.close(),
                    Err(fault) => {
                        self.lost(&fault);
                        // The ballast's pauses hold new entries back: removals need not wait for that.
                        if fault.kind == FaultKind::NoSpace {
                            continue;
                        }
                    }
                }
            }
            if !self.rest().await {
                return;
            }
        }
    }

    fn open(&mut self) -> Result<(), StorageFault> {
        match guarded(|| self.try_open()) {
            // Opening writes too.
            Err(fault) if fault.kind == FaultKind::NoSpace => {
                self.ballast.release(&mut self.files);
                guarded(|| self.try_open())
            }
            other => other,
        }
    }

    fn try_open(&mut self) -> Result<(), StorageFault> {
        let tables = Tables::open(self.files.open()?)?;
        let count = tables.count()?;
        // What was to be removed when the disk failed may be gone all the same.
        for id in self.pins.ids_in_quarantine() {
            if tables.find(id)?.is_none() {
                self.pins.forget(&[id]);
            }
        }
        self.tables = Some(tables);
        if self.ballast.closed().is_none() {
            self.ballast.refill(&mut self.files);
        }
        self.stats.opened(count);
        tracing::info!(
            file = self.files.name(),
            entries = count.entries(),
            "the journal is open"
        );
        Ok(())
    }

    /// The handle is dead: says why and lets go of it.
    fn lost(&mut self, fault: &StorageFault) {
        let StorageFault { kind, detail } = fault;
        if self.stats.failed(kind.cause()) {
            tracing::error!(
                file = self.files.name(),
                cause = kind.cause(),
                error = detail,
                help = kind.help(),
                "the journal is unavailable"
            );
        } else {
            tracing::debug!(error = detail, "the journal is still unavailable");
        }
        self.close();
        if *kind == FaultKind::NoSpace {
            self.ballast.release(&mut self.files);
        }
    }

    fn close(&mut self) {
        let tables = self.tables.take();
        // Closing writes, and what it cannot write the next opening makes good.
        let _ = guarded(|| {
            drop(tables);
            Ok(())
        });
    }

    /// Waits before the next attempt, and refuses what is asked meanwhile. False when nobody is left to ask.
    async fn rest(&mut self) -> bool {
        let pause = pause(self.failures);
        self.failures = self.failures.saturating_add(1);
        if pause.is_zero() {
            return true;
        }
        for write in self.again.drain(..) {
            write.refuse(unavailable(&self.stats));
        }
        let until = Instant::now() + pause;
        loop {
            match timeout_at(until, self.jobs.recv()).await {
                Ok(Some(job)) => job.refuse(unavailable(&self.stats)),
                Ok(None) => return false,
                Err(_) => return true,
            }
        }
    }
}

/// What to tell while the file is not open.
pub(super) fn unavailable(stats: &SharedStats) -> JournalError {
    let cause = stats.cause();
    JournalError::Unavailable(cause.unwrap_or("the journal was interrupted").to_owned())
}

/// Runs what calls the store: a panic in there is a fault like any other, and must not end the thread.
pub(super) fn guarded<T>(run: impl FnOnce() -> Result<T, StorageFault>) -> Result<T, StorageFault> {
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|payload| Err(StorageFault::panicked(payload.as_ref())))
}
