//! Which runs there are, and which one is meant.

use std::cmp::Reverse;
use std::fs;
use std::path::{Path, PathBuf};

use super::manifest::FILE as MANIFEST;
use super::{OTHERS, Results, ResultsError, Run};

/// All that could be read, and what could not.
#[derive(Debug)]
pub(crate) struct Listing {
    /// Newest first.
    pub runs: Vec<Run>,
    /// Why a folder was left out, one each.
    pub broken: Vec<ResultsError>,
}

struct Place {
    /// `NAME/RUN`.
    id: String,
    path: PathBuf,
}

impl Results {
    /// Every run. What is broken is left out, and told.
    pub(crate) fn all(&self) -> Listing {
        let (mut runs, mut broken) = (Vec::new(), Vec::new());
        for place in self.places() {
            match Run::open(&place.path) {
                Ok(run) => runs.push(run),
                Err(error) => broken.push(error),
            }
        }
        runs.sort_by_key(|run: &Run| Reverse((run.about.started, run.id())));
        Listing { runs, broken }
    }

    /// The run that is meant: by its folder's path, by `NAME/RUN`, by RUN, or by how one of these two begins.
    pub(crate) fn open(&self, wanted: &str) -> Result<Run, ResultsError> {
        if Path::new(wanted).join(MANIFEST).is_file() {
            return Run::open(Path::new(wanted));
        }
        let places = self.places();
        let exact = places.iter().filter(|place| place.goes_by(wanted, str::eq));
        let begins = |name: &str, wanted: &str| !wanted.is_empty() && name.starts_with(wanted);
        let mut meant: Vec<&Place> = exact.collect();
        if meant.is_empty() {
            let like = places.iter().filter(|place| place.goes_by(wanted, begins));
            meant = like.collect();
        }
        match meant.as_slice() {
            [] => Err(ResultsError::Unknown {
                wanted: wanted.to_owned(),
                folder: self.folder.clone(),
            }),
            [place] => Run::open(&place.path),
            several => Err(ResultsError::Ambiguous {
                wanted: wanted.to_owned(),
                runs: several.iter().map(|place| place.id.clone()).collect(),
            }),
        }
    }

    /// In no order that means anything.
    fn places(&self) -> Vec<Place> {
        let mut places = Vec::new();
        for (name, folder) in folders(&self.folder) {
            let runs = folders(&folder).into_iter();
            places.extend(runs.map(|(run, path)| Place {
                id: format!("{name}/{run}"),
                path,
            }));
        }
        places
    }
}

impl Place {
    fn goes_by(&self, wanted: &str, matches: impl Fn(&str, &str) -> bool) -> bool {
        let run = self.id.split_once('/').map_or("", |(_, run)| run);
        matches(&self.id, wanted) || matches(run, wanted)
    }
}

/// The folders in a folder; those whose names begin with a dot are half written.
fn folders(folder: &Path) -> Vec<(String, PathBuf)> {
    let items = fs::read_dir(folder).into_iter().flatten().flatten();
    let named = items.map(|item| (item.file_name().to_string_lossy().into_owned(), item.path()));
    named
        .filter(|(name, path)| {
            !name.starts_with('.') && !OTHERS.contains(&name.as_str()) && path.is_dir()
        })
        .collect()
}
