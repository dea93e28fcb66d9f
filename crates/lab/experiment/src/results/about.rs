//! What a run was: `run.json`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Machine, Source};
use crate::settings::StageKind;

/// With what, by whom, when and on what an experiment was played. Its experiment and its policies are files beside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The experiment's name.
    pub name: String,
    /// Of all that was random.
    pub seed: u64,
    /// What it was played on.
    pub stage: StageKind,
    /// The command, word by word.
    pub command: Vec<String>,
    /// When it began, to the millisecond or better.
    pub started: Timestamp,
    /// When the last trial was over.
    pub ended: Timestamp,
    /// Which version of the lab played it.
    pub lab: String,
    /// Of which sources.
    pub source: Source,
    /// On which machine.
    pub machine: Machine,
}

impl About {
    /// The version of this lab.
    pub const LAB: &str = env!("CARGO_PKG_VERSION");

    /// What its folder is called, unless another run has that name: sorted by name is sorted by time.
    pub(super) fn run(&self) -> String {
        let started = self.started.strftime("%Y-%m-%dT%H-%M-%SZ");
        format!("{started}-seed-{}", self.seed)
    }
}
