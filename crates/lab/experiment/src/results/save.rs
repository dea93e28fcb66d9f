//! Writing a run: in a folder that nobody looks into, which gets its name when all is there.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::TempDir;

use super::error::ResultsError;
use super::manifest::{self, Manifest};
use super::{ABOUT, About, EXPERIMENT, POLICIES, Results, Run, VERDICT, journal};
use crate::plan::Side;
use crate::trial::Trial;
use crate::verdict::Verdict;

/// A run that is over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finished<'a> {
    pub about: &'a About,
    pub experiment: &'a str,
    pub policies: &'a str,
    pub trials: &'a [Trial],
    pub verdict: &'a Verdict,
}

impl Results {
    /// Writes the run down. Until it is complete it is not there.
    pub(crate) fn save(&self, finished: &Finished<'_>) -> Result<Run, ResultsError> {
        let folder = self.folder.join(checked(&finished.about.name)?);
        fs::create_dir_all(&folder).map_err(ResultsError::file("make", &folder))?;
        // As readable as any folder: the umask is taken off.
        let mut partial = tempfile::Builder::new();
        let partial = partial.permissions(Permissions::from_mode(0o777));
        let partial = partial.prefix(".partial-").tempdir_in(&folder);
        let mut partial = partial.map_err(ResultsError::file("make a folder in", &folder))?;
        fill(partial.path(), finished)?;
        let name = finished.about.run();
        let folder = publish(&mut partial, &folder, &name)?;
        Run::open(&folder)
    }
}

/// Writes what was seen and the verdict, as those of a run are, into a folder of another's.
pub(crate) fn leave(trial: &Trial, verdict: &Verdict, folder: &Path) -> Result<(), ResultsError> {
    let file = format!("{}.jsonl", trial.side);
    for (file, bytes) in [
        (file.as_str(), journal::write(trial, &file)?.into_bytes()),
        (VERDICT, json(VERDICT, verdict)?),
    ] {
        let path = folder.join(file);
        fs::write(&path, bytes).map_err(ResultsError::file("write", path))?;
    }
    Ok(())
}

/// Nothing that leads elsewhere, or out of sight.
fn checked(name: &str) -> Result<&str, ResultsError> {
    let allowed = |it: char| it.is_alphanumeric() || matches!(it, '-' | '_' | '.');
    if name.is_empty() || name.starts_with('.') || !name.chars().all(allowed) {
        return Err(ResultsError::Name(name.to_owned()));
    }
    Ok(name)
}

fn fill(folder: &Path, finished: &Finished<'_>) -> Result<(), ResultsError> {
    let played = names(finished.trials);
    let mut manifest = Manifest::new(played.clone());
    let put = |file: &str, bytes: &[u8]| {
        let path = folder.join(file);
        fs::write(&path, bytes).map_err(ResultsError::file("write", path))?;
        Ok((file.to_owned(), manifest::digest(bytes)))
    };
    manifest.inputs.extend([
        put(EXPERIMENT, finished.experiment.as_bytes())?,
        put(POLICIES, finished.policies.as_bytes())?,
        put(ABOUT, &json(ABOUT, finished.about)?)?,
    ]);
    for (file, trial) in played.iter().zip(finished.trials) {
        let journal = journal::write(trial, file)?;
        manifest.outputs.extend([put(file, journal.as_bytes())?]);
    }
    let verdict = json(VERDICT, finished.verdict)?;
    manifest.outputs.extend([put(VERDICT, &verdict)?]);
    put(manifest::FILE, &json(manifest::FILE, &manifest)?).map(drop)
}

pub(crate) fn json(file: &str, value: &impl Serialize) -> Result<Vec<u8>, ResultsError> {
    let json = serde_json::to_vec_pretty(value);
    json.map_err(|error| ResultsError::malformed(Path::new(file), error))
}

/// Of the journals: numbered where a side was played more than once.
fn names(trials: &[Trial]) -> Vec<String> {
    let of = |side: Side, trials: &[Trial]| trials.iter().filter(|it| it.side == side).count();
    let name = |(index, trial): (usize, &Trial)| match of(trial.side, trials) {
        1 => format!("{}.jsonl", trial.side),
        _ => format!("{}-{}.jsonl", trial.side, of(trial.side, &trials[..=index])),
    };
    trials.iter().enumerate().map(name).collect()
}

/// Gives the folder its name, or one of the names after it: what is there already stays.
fn publish(partial: &mut TempDir, folder: &Path, name: &str) -> Result<PathBuf, ResultsError> {
    let mut path = folder.join(name);
    let mut count = 1;
    while let Err(error) = fs::rename(partial.path(), &path) {
        if !path.exists() {
            return Err(ResultsError::file("write", path)(error));
        }
        count += 1;
        path = folder.join(format!("{name}.{count}"));
    }
    partial.disable_cleanup(true);
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_or_out_of_sight_are_refused() {
        for bad in ["", ".", "..", ".hidden", "a/b", "../a", "a b"] {
            assert!(matches!(checked(bad), Err(ResultsError::Name(_))), "{bad}");
        }
        assert_eq!(checked("worker-killed_2").unwrap(), "worker-killed_2");
    }
}
