//! Which files a run consists of, and what was in them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::{ResultsError, of_schema};

pub(super) const FILE: &str = "manifest.json";
/// Changed whenever a run's files mean something else than before; a journal has a schema of its own.
const SCHEMA: u32 = 1;

/// `manifest.json`. Written last: a folder without it is no run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    schema: u32,
    /// SHA-256 of what the run was played with, by file.
    pub(super) inputs: BTreeMap<String, String>,
    /// SHA-256 of what came of it, by file.
    pub(super) outputs: BTreeMap<String, String>,
    /// The journals, in the order in which their trials were played.
    pub(super) played: Vec<String>,
}

impl Manifest {
    pub(super) fn new(played: Vec<String>) -> Self {
        Self {
            schema: SCHEMA,
            inputs: BTreeMap::new(),
            outputs: BTreeMap::new(),
            played,
        }
    }

    pub(super) fn read(folder: &Path) -> Result<Self, ResultsError> {
        let path = folder.join(FILE);
        let bytes = fs::read(&path).map_err(ResultsError::file("read", &path))?;
        of_schema(SCHEMA, &bytes, &path)?;
        let manifest = serde_json::from_slice(&bytes);
        manifest.map_err(|error| ResultsError::malformed(&path, error))
    }

    /// The bytes of a file of the run in `folder`, if they are those that were written.
    pub(super) fn open(&self, folder: &Path, file: &str) -> Result<Vec<u8>, ResultsError> {
        let path = folder.join(file);
        let listed = self.inputs.get(file).or_else(|| self.outputs.get(file));
        let Some(listed) = listed else {
            let problem = format!("it does not list {file}");
            return Err(ResultsError::malformed(&folder.join(FILE), problem));
        };
        let bytes = fs::read(&path).map_err(ResultsError::file("read", &path))?;
        match digest(&bytes) == *listed {
            true => Ok(bytes),
            false => Err(ResultsError::Changed(path)),
        }
    }
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        // A string takes all that is written to it.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_what_sha256sum_prints() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest(b"abc"), abc);
    }
}
