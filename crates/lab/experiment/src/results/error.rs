//! What can go wrong with results, each with its cure.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

use crate::files::FileError;

/// Why a run could not be written or read.
#[derive(Debug, Error)]
pub enum ResultsError {
    #[error("{0}; check the permissions and the free space there")]
    File(FileError),
    #[error("{} was changed after the run: its SHA-256 is not the manifest's; bring back the original, or play the experiment again", .0.display())]
    Changed(PathBuf),
    /// A file of a run makes no sense.
    #[error("{}: {problem}; play the experiment again", path.display())]
    Malformed { path: PathBuf, problem: String },
    /// A line of a journal, counted from 1, makes no sense.
    #[error("{}:{line}: {problem}; play the experiment again", path.display())]
    Line {
        path: PathBuf,
        line: usize,
        problem: String,
    },
    /// It was written by a lab that writes otherwise.
    #[error("{} has schema {found}, this lab reads {known}; read it with the lab of its own revision (run.json), or play the experiment again", path.display())]
    Schema {
        path: PathBuf,
        found: u32,
        known: u32,
    },
    /// Not all of it was played.
    #[error("{0} broke off, so that another run cannot agree with it; play its experiment again")]
    BrokeOff(String),
    #[error("no run is called {wanted}; give NAME/RUN, or how RUN begins, of those in {}", folder.display())]
    Unknown { wanted: String, folder: PathBuf },
    #[error("{wanted} may mean {}; give more of the name", runs.join(" or "))]
    Ambiguous { wanted: String, runs: Vec<String> },
    #[error(
        "{0:?} cannot name a folder of results; call the experiment's file by letters, digits, - and _"
    )]
    Name(String),
}

/// All that a newer or an older file is sure to have.
#[derive(Deserialize)]
struct Version {
    schema: u32,
}

/// Whether this JSON, of the file at `path`, is of the schema that is known.
pub(super) fn of_schema(known: u32, json: &[u8], path: &Path) -> Result<(), ResultsError> {
    let version = serde_json::from_slice(json);
    match version.map_err(|error| ResultsError::malformed(path, error))? {
        Version { schema } if schema == known => Ok(()),
        Version { schema: found } => Err(ResultsError::Schema {
            path: path.to_owned(),
            found,
            known,
        }),
    }
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
