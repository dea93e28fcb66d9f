//! Why the journal refuses, for its callers, and what is wrong with its file, for the operator.

use std::any::Any;
use std::io;
use std::path::PathBuf;

/// The journal did not do what was asked, as far as it knows: after [`TimedOut`](Self::TimedOut) or
/// [`Unavailable`](Self::Unavailable) what was to be written may be found there all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JournalError {
    /// No room for another entry.
    #[error("the journal holds as much as it may ({max_bytes} bytes)")]
    Full {
        /// What it may hold.
        max_bytes: u64,
    },
    /// It cannot be written or read at present. The text is safe to show. If the disk failed at the very end of a
    /// commit, that may have reached it.
    #[error("{0}")]
    Unavailable(String),
    /// No answer by the deadline. What was to be written may still be, or not.
    #[error("the journal did not answer in time")]
    TimedOut,
    /// More is waiting to be written than may wait.
    #[error("the journal has as much waiting to be written as may wait")]
    Busy,
}

/// Another process holds the folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the journal folder {} is in use by another process", folder.display())]
pub struct JournalInUse {
    /// The folder.
    pub folder: PathBuf,
}

/// The same, before it is known which.
#[derive(Debug)]
pub(super) struct InUse;

/// What is wrong with the journal's file or folder.
#[derive(Debug)]
pub struct StorageFault {
    pub(super) kind: FaultKind,
    /// The whole error, for the log.
    pub(super) detail: String,
}

/// The kinds of fault that need different help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FaultKind {
    /// Another process holds the folder.
    InUse,
    /// The folder or a file in it cannot be made or opened.
    Folder,
    /// No space is left.
    NoSpace,
    /// The file is not what was written to it.
    Damaged,
    /// The disk fails.
    Disk,
    /// The store panicked.
    Defect,
}

impl FaultKind {
    /// Safe to show: names no folder.
    pub(super) fn cause(self) -> &'static str {
        match self {
            Self::InUse => "the journal's folder is in use by another process",
            Self::Folder => "the journal's folder cannot be used",
            Self::NoSpace => "the journal's disk has no space left",
            Self::Damaged => "the journal's file is damaged",
            Self::Disk => "the journal's disk fails",
            Self::Defect => "the journal failed on a defect of its own",
        }
    }

    /// What to do about it, for the log.
    pub(super) fn help(self) -> &'static str {
        match self {
            Self::InUse => "give each process a journal folder of its own",
            Self::Folder => "make the folder a writable one; it is tried again by itself",
            Self::NoSpace => "free space on the disk; it is tried again by itself",
            Self::Damaged => {
                "restore the file from a backup, or stop the API and run `holdfast-api journal set-aside`: then a new one \
                 is begun, and what only this one held is lost"
            }
            Self::Disk => "see to the disk; it is tried again by itself",
            Self::Defect => "report this; it is tried again by itself",
        }
    }
}

impl StorageFault {
    /// A fault of the folder or of a file in it, before the store has it.
    pub fn with_folder(error: &io::Error) -> Self {
        let kind = match of_io(error) {
            FaultKind::Disk => FaultKind::Folder,
            known => known,
        };
        Self {
            kind,
            detail: error.to_string(),
        }
    }

    /// A panic that was caught.
    pub(super) fn panicked(payload: &(dyn Any + Send)) -> Self {
        let said = payload
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| payload.downcast_ref::<String>().cloned());
        Self {
            kind: FaultKind::Defect,
            detail: said.unwrap_or_else(|| "a panic without words".to_owned()),
        }
    }
}

impl From<redb::Error> for StorageFault {
    fn from(error: redb::Error) -> Self {
        use redb::Error as E;
        let kind = match &error {
            E::Io(error) => of_io(error),
            E::Corrupted(_)
            | E::UpgradeRequired(_)
            | E::RepairAborted
            | E::TableTypeMismatch { .. }
            | E::TableIsMultimap(_)
            | E::TypeDefinitionChanged { .. } => FaultKind::Damaged,
            E::DatabaseAlreadyOpen => FaultKind::InUse,
            _ => FaultKind::Disk,
        };
        Self {
            kind,
            detail: error.to_string(),
        }
    }
}

fn of_io(error: &io::Error) -> FaultKind {
    use io::ErrorKind::{InvalidData, QuotaExceeded, StorageFull, UnexpectedEof};
    match error.kind() {
        StorageFull | QuotaExceeded => FaultKind::NoSpace,
        InvalidData | UnexpectedEof => FaultKind::Damaged,
        _ => FaultKind::Disk,
    }
}
