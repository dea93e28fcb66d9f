//! Where an experiment is played.

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

/// A way to run the three services.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ValueEnum, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum StageKind {
    /// Containers.
    Compose,
    /// Processes of this machine.
    Local,
    /// Several machines, joined into one Docker Swarm.
    Swarm,
    /// No processes at all: the service's core over a modelled world, in virtual time. It plays experiments, and nothing else.
    #[schemars(skip)]
    Virtual,
}

impl StageKind {
    /// As it stands in `STAGE`.
    pub fn name(self) -> &'static str {
        self.into()
    }
}
