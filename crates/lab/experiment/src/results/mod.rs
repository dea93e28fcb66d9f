//! What a run of an experiment leaves: `results/NAME/RUN/`, complete or not there at all.
//!
//! | file | holds |
//! |---|---|
//! | `experiment.toml`, `policies.toml` | what was played, byte for byte |
//! | `run.json` | with which seed, by whom, when, on what ([`About`]) |
//! | `naive.jsonl`, `resilient.jsonl` | all that was seen of a side, line by line; `naive-1.jsonl`, … of several trials |
//! | `verdict.json` | the judgement |
//! | `manifest.json` | the SHA-256 of each of these, the first three apart as inputs, and the order of play |
//!
//! RUN is when it began, in UTC, and its seed: `2026-03-01T14-05-59Z-seed-7`. Nothing is read back that is not what was
//! written. Pages made of it, such as a report, are added later and may be made anew.

mod about;
mod agreement;
mod error;
mod find;
mod journal;
mod machine;
mod manifest;
mod run;
mod save;
mod source;

use std::fs;
use std::path::PathBuf;

pub(crate) use about::About;
pub(crate) use agreement::Agreement;
pub(crate) use error::ResultsError;
pub(crate) use machine::Machine;
pub(crate) use manifest::digest;
pub(crate) use run::{Run, replace};
pub(crate) use save::Finished;
pub(crate) use save::{json, leave};
pub(crate) use source::Source;

use crate::settings::Settings;

const EXPERIMENT: &str = "experiment.toml";
const POLICIES: &str = "policies.toml";
const ABOUT: &str = "run.json";
const VERDICT: &str = "verdict.json";
/// Runs of others' APIs lie here, each API in a folder of its own that is laid out like this one.
const CONTENDERS: &str = "contenders";
/// Ablations leave their tables here, a file each.
pub(crate) const ABLATIONS: &str = "ablations";
/// Beside the experiments' folders, and none.
const OTHERS: [&str; 4] = [CONTENDERS, ABLATIONS, "grades", "predictions"];

#[derive(Debug, Clone)]
pub(crate) struct Results {
    pub(crate) folder: PathBuf,
}

impl Results {
    pub(crate) fn of(settings: &Settings) -> Self {
        Self::at(&settings.results)
    }

    pub(crate) fn of_contender(&self, name: &str) -> Self {
        Self::at(self.folder.join(CONTENDERS).join(name))
    }

    /// In a folder that need not exist yet.
    pub(crate) fn at(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// What ablations have left, from the folder; the newest first.
    pub(crate) fn ablations(&self) -> Vec<String> {
        let items = fs::read_dir(self.folder.join(ABLATIONS));
        let names = items.into_iter().flatten().flatten();
        let mut paths: Vec<String> = names
            .map(|item| format!("{ABLATIONS}/{}", item.file_name().to_string_lossy()))
            .collect();
        paths.sort_by(|one, other| other.cmp(one));
        paths
    }
}

#[cfg(test)]
mod tests;
