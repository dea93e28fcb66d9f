//! The three services.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr};

/// One of the services that can each fail alone.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    ValueEnum,
    Display,
    IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Service {
    Worker,
    Api,
    Db,
}

impl Service {
    /// All of them, in the order in which a stage comes up.
    pub const ALL: [Self; 3] = [Self::Db, Self::Worker, Self::Api];

    /// The name used in commands, files and Compose.
    pub fn name(self) -> &'static str {
        self.into()
    }
}
