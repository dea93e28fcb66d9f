//! Files: the error that all who touch them share, each with a cure of their own, and what they do to them alike.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use thiserror::Error;

/// What was tried, with which file or folder, and the system's answer.
#[derive(Debug, Error)]
#[error("cannot {doing} {}: {source}", path.display())]
pub struct FileError {
    doing: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl FileError {
    pub fn is_missing(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }

    /// Of what was tried with `path`: `write`, `make a folder in`.
    pub fn at(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self {
            doing,
            path,
            source,
        }
    }
}

/// Writes all of it or nothing, and for nobody else to read.
pub fn write_json(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let draft = path.with_extension("new");
    // What a draft of before may be read by, this one would be as well.
    deleted(fs::remove_file(&draft))?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let bytes = serde_json::to_vec_pretty(value)?;
    options.open(&draft)?.write_all(&bytes)?;
    fs::rename(&draft, path)
}

/// Whether there was something to delete; nothing is fine.
pub fn deleted(result: io::Result<()>) -> io::Result<bool> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        result => result.map(|()| true),
    }
}
