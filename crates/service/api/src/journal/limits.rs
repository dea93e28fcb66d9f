//! What a journal is opened with.

use std::time::Duration;

/// How much the journal takes.
#[derive(Debug, Clone, Copy)]
pub struct JournalLimits {
    /// The file stays within so many bytes and 2 MiB.
    pub max_bytes: u64,
    /// At most so many writes share a commit; with 1 each has its own.
    pub max_batch: u32,
    /// How long opening waits for a process that still holds the folder: one that drains lets go of it.
    pub lock_wait: Duration,
}
