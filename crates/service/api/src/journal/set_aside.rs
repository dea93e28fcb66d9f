//! An operator's way out when the journal's file cannot be read: it is moved away, and a new one is begun.
//!
//! Nothing is deleted. What only this file held is not brought to Postgres any more, and its keys are forgotten, so the
//! report says how much that is where it can be told.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::error::FaultKind;
use super::files::{Files, Folder, sync};
use super::tables::Tables;
use super::thread::guarded;

/// What was moved away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Where it is now.
    pub moved_to: PathBuf,
    /// Entries without an end and with one; `None` if the file cannot be read.
    pub entries: Option<(u64, u64)>,
}

/// Why it was not.
#[derive(Debug, thiserror::Error)]
pub enum SetAsideError {
    /// There is nothing to move away.
    #[error("{} holds no journal", .0.display())]
    NoJournal(PathBuf),
    /// A process works on it.
    #[error("{} is in use by another process: stop it first", .0.display())]
    InUse(PathBuf),
    /// The folder cannot be used.
    #[error("{} cannot be used: {problem}", folder.display())]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why.
        problem: String,
    },
    /// The file cannot be moved.
    #[error("the journal cannot be moved away: {0}")]
    Io(#[from] io::Error),
}

impl SetAside {
    /// Moves the journal in `folder` away, under a name that says when.
    ///
    /// # Errors
    /// When there is none, when it is in use, or when it cannot be moved.
    pub fn in_folder(folder: &Path) -> Result<Self, SetAsideError> {
        let mut files = Folder::new(folder, Duration::ZERO);
        let file = files.file();
        let folder = folder.to_owned();
        if !file.try_exists()? {
            return Err(SetAsideError::NoJournal(folder));
        }
        match files.take() {
            Ok(()) => {}
            Err(fault) if fault.kind == FaultKind::InUse => {
                return Err(SetAsideError::InUse(folder));
            }
            Err(fault) => {
                let problem = fault.detail;
                return Err(SetAsideError::Folder { folder, problem });
            }
        }
        let counted = guarded(|| Ok(Tables::open(files.open()?)?.count()?));
        let at = Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
        let moved_to = folder.join(format!("journal.redb.set-aside-{at}"));
        fs::rename(&file, &moved_to)?;
        sync(&folder)?;
        Ok(Self {
            moved_to,
            entries: counted.ok().map(|count| (count.open, count.ended)),
        })
    }

    /// What an operator should know.
    #[must_use]
    pub fn report(&self) -> String {
        let lost = match self.entries {
            Some((0, 0)) => "It was empty: nothing is lost.".to_owned(),
            Some((open, ended)) => format!(
                "It holds {open} accepted requests that are not done and {ended} results that may not be in Postgres: \
                 they are not brought over from there, and their idempotency keys are forgotten."
            ),
            None => "It cannot be read: accepted requests, results and idempotency keys that only it held are lost \
                 unless it is repaired and put back."
                .to_owned(),
        };
        let moved_to = self.moved_to.display();
        format!("the journal is now {moved_to}. {lost} The API begins a new one at its next start.")
    }
}
