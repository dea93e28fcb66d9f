//! Which experiments there are, and which are meant.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use holdfast_system::error::SystemError;

use super::plan::Experiment;
use crate::error::ExperimentError;
use crate::hint::hint;

/// In the checkout.
const FOLDER: &str = "experiments";
const ENDING: &str = "toml";
/// Lie in the same folder and are none.
const NO_EXPERIMENTS: [&str; 1] = ["policies.toml"];

/// An experiment, and the text of its file.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) experiment: Experiment,
    pub(super) text: String,
}

/// Reads the files meant by these names, or by these paths; nothing named: all there are. All are read before any is
/// played.
pub(super) fn experiments(
    wanted: Option<&[String]>,
    root: &Path,
) -> Result<Vec<Found>, ExperimentError> {
    let files = match wanted {
        Some(wanted) => wanted.iter().map(|name| file(name, root)).collect(),
        None => all(root)?,
    };
    files.iter().map(|file| read(file, root)).collect()
}

fn read(file: &Path, root: &Path) -> Result<Found, ExperimentError> {
    let text = fs::read_to_string(file).map_err(|error| match error.kind() {
        ErrorKind::NotFound => ExperimentError::NoExperiment {
            file: file.to_owned(),
            hint: meant(file, root),
        },
        _ => SystemError::file("read", file)(error).into(),
    })?;
    let experiment = Experiment::parse(file, &text)?;
    Ok(Found { experiment, text })
}

/// Which of those there are may have been meant.
fn meant(file: &Path, root: &Path) -> String {
    let all = all(root).unwrap_or_default();
    let known: Vec<_> = all
        .iter()
        .filter_map(|it| it.file_stem()?.to_str())
        .collect();
    let name = file.file_stem().unwrap_or_default();
    hint(&name.to_string_lossy(), &known)
}

/// `worker-killed`, or a path.
fn file(name: &str, root: &Path) -> PathBuf {
    let path = PathBuf::from(name);
    if path.extension().is_some_and(|ending| ending == ENDING) || name.contains('/') {
        path
    } else {
        root.join(FOLDER).join(name).with_extension(ENDING)
    }
}

fn all(root: &Path) -> Result<Vec<PathBuf>, ExperimentError> {
    let folder = root.join(FOLDER);
    let items = fs::read_dir(&folder).map_err(SystemError::file("read", folder))?;
    let is_one = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        path.extension().is_some_and(|ending| ending == ENDING)
            && !NO_EXPERIMENTS.contains(&name.as_ref())
    };
    let mut files: Vec<PathBuf> = items
        .flatten()
        .map(|item| item.path())
        .filter(is_one)
        .collect();
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_file_of_the_folder_and_a_path_is_itself() {
        let root = Path::new("/checkout");
        let named = file("worker-killed", root);
        assert_eq!(named, Path::new("/checkout/experiments/worker-killed.toml"));
        assert_eq!(file("my.toml", root), Path::new("my.toml"));
        assert_eq!(file("./mine", root), Path::new("./mine"));
    }

    #[test]
    fn a_name_that_is_none_is_told_with_the_way_to_those_there_are() {
        let error = experiments(Some(&["worker-kiled".to_owned()]), Path::new("/"));
        let error = error.unwrap_err();
        assert!(error.to_string().contains("worker-kiled.toml"), "{error}");
        assert!(error.help().unwrap().contains("lab list"));
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
        let error = experiments(Some(&["worker-kiled".to_owned()]), &root).unwrap_err();
        assert!(
            error.to_string().contains("did you mean `worker-killed`?"),
            "{error}"
        );
    }

    #[test]
    fn every_experiment_of_the_checkout_can_be_read() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(3)
            .unwrap();
        assert!(experiments(None, root).unwrap().len() >= 14);
    }
}
