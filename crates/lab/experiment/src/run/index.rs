//! The page over all experiments, the unplayed too, with what ablations have left.

use std::fs;

use holdfast_system::error::SystemError;

use super::super::find;
use super::super::plan::Experiment;
use super::super::report::{self, Listed, Others};
use super::super::results::{Results, Run};
use super::pages::{LISTED, bad_page};
use crate::error::ExperimentError;
use crate::settings::Settings;

const INDEX: &str = "index.html";

/// Writes it anew; where it is.
pub(super) fn write(settings: &Settings) -> Result<String, ExperimentError> {
    let results = Results::of(settings);
    let listed = |run: &Run| -> Option<Listed> {
        serde_json::from_slice(&fs::read(run.folder.join(LISTED)).ok()?).ok()
    };
    let listed: Vec<Listed> = results.all().runs.iter().filter_map(listed).collect();
    let others = Others {
        unplayed: unplayed(&listed, settings),
        ablations: results.ablations(),
    };
    let page = report::index(&listed, &others).map_err(bad_page)?;
    let path = results.folder.join(INDEX);
    let partial = path.with_extension("partial");
    fs::write(&partial, page)
        .and_then(|()| fs::rename(&partial, &path))
        .map_err(SystemError::file("write", &path))?;
    Ok(path.display().to_string())
}

/// Experiments of the checkout without a run. A file that cannot be read is told of by whoever plays it.
fn unplayed(listed: &[Listed], settings: &Settings) -> Vec<Experiment> {
    let all = find::experiments(None, &settings.root).unwrap_or_default();
    let all = all.into_iter().map(|found| found.experiment);
    all.filter(|it| listed.iter().all(|run| run.name != it.name))
        .collect()
}
