//! The three services.

use std::fmt;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// One of the services that can each fail alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// Does the work.
    Worker,
    /// Answers the clients.
    Api,
    /// Postgres.
    Db,
}

impl Service {
    /// All of them, in the order in which a stage comes up.
    pub const ALL: [Self; 3] = [Self::Db, Self::Worker, Self::Api];

    /// The name used in commands, files and Compose.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Worker => "worker",
            Self::Api => "api",
            Self::Db => "db",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
