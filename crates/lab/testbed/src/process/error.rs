//! Why a process could not be started.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// A process was not started.
#[derive(Debug, Error)]
#[error("cannot {doing} {}: {source}", path.display())]
pub struct LaunchError {
    /// What was tried.
    pub doing: &'static str,
    /// With which file.
    pub path: PathBuf,
    /// The system's answer.
    pub source: io::Error,
}

impl LaunchError {
    pub(super) fn new(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self {
            doing,
            path,
            source,
        }
    }
}
