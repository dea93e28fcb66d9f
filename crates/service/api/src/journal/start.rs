//! Opening the journal: on a thread of its own, or wherever the caller likes.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use tokio::runtime::Builder;

use super::error::{FaultKind, InUse};
use super::files::{Files, Folder};
use super::pins::Pins;
use super::queue::Queue;
use super::stats::SharedStats;
use super::thread::Thread;
use super::{Journal, JournalInUse, JournalLimits};

/// How long [`Journal::open`] waits to see whether the file opens. A large one takes longer, a hung disk for ever:
/// the journal is unavailable meanwhile.
const OPENING: Duration = Duration::from_secs(5);

impl Journal {
    /// Starts the journal's thread on `folder`, which is made if it is missing, waits for a predecessor to let go of it, and
    /// up to five seconds for the file to open. Blocks: not for use in a running request.
    ///
    /// Any fault but another process leaves the journal unavailable: the log says so, with cause and help, and it
    /// tries again by itself until all is well.
    ///
    /// # Errors
    /// When another process holds the folder.
    pub(crate) fn open(folder: &Path, limits: JournalLimits) -> Result<Self, JournalInUse> {
        Self::start(Folder::new(folder, limits.lock_wait), limits).map_err(|InUse| JournalInUse {
            folder: folder.to_owned(),
        })
    }

    pub(super) fn start(files: impl Files, limits: JournalLimits) -> Result<Self, InUse> {
        let (first, opened) = sync_channel(1);
        let (journal, thread) = Self::over(files, limits, first);
        let run = move || {
            let runtime = Builder::new_current_thread().enable_time().build()?;
            runtime.block_on(thread);
            Ok::<_, io::Error>(())
        };
        let spawned = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || run().inspect_err(not_started));
        if let Err(error) = spawned {
            not_started(&error);
        }
        match opened.recv_timeout(OPENING + limits.lock_wait) {
            Ok(Some(FaultKind::InUse)) => Err(InUse),
            _ => Ok(journal),
        }
    }

    /// The journal over `files`, and what does its work until the last clone of it is gone: on a thread of its own wherever
    /// a disk can hang.
    pub fn driven_by_caller(
        files: impl Files,
        limits: JournalLimits,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (first, _) = sync_channel(1);
        Self::over(files, limits, first)
    }

    fn over(
        files: impl Files,
        limits: JournalLimits,
        first: SyncSender<Option<FaultKind>>,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (queue, jobs) = Queue::new();
        let stats = Arc::new(SharedStats::new());
        let pins = Pins::default();
        let thread = Thread::new(files, jobs, Arc::clone(&stats), pins.clone(), limits);
        let journal = Self { queue, stats, pins };
        (journal, thread.run(first))
    }
}

fn not_started(error: &io::Error) {
    tracing::error!(%error, "the journal is unavailable: its thread cannot be started");
}
