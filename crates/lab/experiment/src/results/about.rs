//! What a run was: `run.json`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Machine, Source};
use crate::settings::StageKind;

/// With what, by whom, when and on what an experiment was played. Its experiment and its policies are files beside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct About {
    pub name: String,
    pub seed: u64,
    pub stage: StageKind,
    pub command: Vec<String>,
    pub started: Timestamp,
    pub ended: Timestamp,
    pub lab: String,
    pub source: Source,
    pub machine: Machine,
}

impl About {
    pub(crate) const LAB: &str = env!("CARGO_PKG_VERSION");

    /// What its folder is called, unless another run has that name: sorted by name is sorted by time.
    pub(super) fn run(&self) -> String {
        let started = self.started.strftime("%Y-%m-%dT%H-%M-%SZ");
        format!("{started}-seed-{}", self.seed)
    }
}
