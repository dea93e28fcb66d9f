//! A run that was played, read back.

use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::error::ResultsError;
use super::manifest::{self, Manifest};
use super::{ABOUT, About, EXPERIMENT, POLICIES, VERDICT, journal, json};
use crate::trial::Trial;
use crate::verdict::Verdict;

/// A folder of results, with its inputs as they were.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Run {
    pub(crate) folder: PathBuf,
    manifest: Manifest,
    pub about: About,
    pub verdict: Verdict,
    pub experiment: String,
    pub policies: String,
}

impl Run {
    /// Reads the run in `folder`, all but its journals.
    pub(crate) fn open(folder: &Path) -> Result<Self, ResultsError> {
        let manifest = Manifest::read(folder)?;
        Ok(Self {
            about: parse(&manifest, folder, ABOUT)?,
            verdict: parse(&manifest, folder, VERDICT)?,
            experiment: text(&manifest, folder, EXPERIMENT)?,
            policies: text(&manifest, folder, POLICIES)?,
            folder: folder.to_owned(),
            manifest,
        })
    }

    /// `NAME/RUN`: what it is asked for by.
    pub(crate) fn id(&self) -> String {
        let run = self.folder.file_name().unwrap_or_default();
        format!("{}/{}", self.about.name, run.to_string_lossy())
    }

    /// Its trials, in the order in which they were played.
    pub(crate) fn trials(&self) -> Result<Vec<Trial>, ResultsError> {
        let read = |file: &String| {
            let text = text(&self.manifest, &self.folder, file)?;
            journal::read(&text, &self.folder.join(file))
        };
        self.manifest.played.iter().map(read).collect()
    }

    /// Adds a page made of the run, such as `report.html`, or replaces it; whoever reads it meanwhile sees one or the
    /// other.
    pub(crate) fn put_page(&mut self, file: &str, page: &[u8]) -> Result<(), ResultsError> {
        replace(&self.folder, file, page)?;
        let outputs = &mut self.manifest.outputs;
        outputs.insert(file.to_owned(), manifest::digest(page));
        replace(
            &self.folder,
            manifest::FILE,
            &json(manifest::FILE, &self.manifest)?,
        )
    }
}

fn text(manifest: &Manifest, folder: &Path, file: &str) -> Result<String, ResultsError> {
    let text = String::from_utf8(manifest.open(folder, file)?);
    text.map_err(|error| ResultsError::malformed(&folder.join(file), error))
}

fn parse<T: DeserializeOwned>(
    manifest: &Manifest,
    folder: &Path,
    file: &str,
) -> Result<T, ResultsError> {
    let read = serde_json::from_slice(&manifest.open(folder, file)?);
    read.map_err(|error| ResultsError::malformed(&folder.join(file), error))
}

/// At once, or not at all.
pub(crate) fn replace(folder: &Path, file: &str, bytes: &[u8]) -> Result<(), ResultsError> {
    let path = folder.join(file);
    // As readable as any file: the umask is taken off.
    let mut partial = tempfile::Builder::new();
    let partial = partial.permissions(Permissions::from_mode(0o666));
    let written = partial
        .prefix(".partial-")
        .tempfile_in(folder)
        .and_then(|mut partial| {
            partial.write_all(bytes)?;
            partial.persist(&path).map_err(|error| error.error)
        });
    written.map(drop).map_err(ResultsError::file("write", path))
}
