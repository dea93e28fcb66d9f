//! What can go wrong with results, each with its cure.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::files::FileError;

/// Why a run could not be written or read.
#[derive(Debug, Error)]
pub enum ResultsError {
    /// A file or a folder cannot be used.
    #[error("{0}; check the permissions and the free space there")]
    File(FileError),
    /// A file is not what was written.
    #[error("{} was changed after the run: its SHA-256 is not the manifest's; bring back the original, or play the experiment again", .0.display())]
    Changed(PathBuf),
    /// A file of a run makes no sense.
    #[error("{}: {problem}; play the experiment again", path.display())]
    Malformed {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A line of a journal makes no sense.
    #[error("{}:{line}: {problem}; play the experiment again", path.display())]
    Line {
        /// The journal.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// It was written by a lab that writes otherwise.
    #[error("{} has schema {found}, this lab reads {known}; read it with the lab of its own revision (run.json), or play the experiment again", path.display())]
    Schema {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// Not all of it was played.
    #[error("{0} broke off, so that another run cannot agree with it; play its experiment again")]
    BrokeOff(String),
    /// No run is meant by this.
    #[error("no run is called {wanted}; give NAME/RUN, or how RUN begins, of those in {}", folder.display())]
    Unknown {
        /// What was asked for.
        wanted: String,
        /// Where runs are.
        folder: PathBuf,
    },
    /// Several runs may be meant.
    #[error("{wanted} may mean {}; give more of the name", runs.join(" or "))]
    Ambiguous {
        /// What was asked for.
        wanted: String,
        /// Those it may mean.
        runs: Vec<String>,
    },
    /// No folder can be called that.
    #[error(
        "{0:?} cannot name a folder of results; call the experiment's file by letters, digits, - and _"
    )]
    Name(String),
}

impl ResultsError {
    pub(super) fn file(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let at = FileError::at(doing, path);
        move |source| Self::File(at(source))
    }

    pub(super) fn malformed(path: &Path, problem: impl ToString) -> Self {
        Self::Malformed {
            path: path.to_owned(),
            problem: problem.to_string(),
        }
    }
}
