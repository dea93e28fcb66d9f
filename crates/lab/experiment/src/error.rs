//! What can go wrong with an experiment: that it is none, cannot be played, or cannot be written down.

use std::path::PathBuf;

use holdfast_chaos::error::{BUSY, ChaosError};
use holdfast_checker::plan::Side;
use holdfast_checker::schema::SchemaError;
use holdfast_system::error::{SystemError, tell};
use holdfast_testbed::output::Console;
use thiserror::Error;

use crate::results::ResultsError;

/// Why an experiment could not be played.
#[derive(Debug, Error)]
pub enum ExperimentError {
    /// The system under test cannot be had.
    #[error(transparent)]
    System(#[from] SystemError),
    /// It cannot be loaded or broken.
    #[error(transparent)]
    Chaos(ChaosError),
    /// An experiment's file, or what belongs to it, cannot be used.
    #[error("{0}")]
    Experiment(String),
    /// There is no such experiment.
    #[error("there is no experiment in {}; {hint}", file.display())]
    NoExperiment {
        /// Where it would be.
        file: PathBuf,
        /// What may have been meant.
        hint: String,
    },
    /// An experiment's file is none.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// Nothing can be learnt from breaking what was not well before.
    #[error("{side}: there was no steady state to begin with: {seen}")]
    NotSteady {
        /// On which side.
        side: Side,
        /// What was seen in its place.
        seen: String,
    },
    /// Torture was asked for on another stage than it plays on.
    #[error("torture plays on processes of its own, or on three nodes")]
    NotTortured,
    /// Torture was asked for so many replicas where there are three.
    #[error("on a Swarm each of the three nodes has an API")]
    AlwaysThree,
    /// What runs of experiments left, with the cure.
    #[error(transparent)]
    Results(#[from] ResultsError),
}

impl ExperimentError {
    /// What to do about it, in one line; none where the cause already says it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::System(error) => error.help(),
            Self::Chaos(error) => error.help(),
            Self::NoExperiment { .. } => Some("see those there are: lab list".to_owned()),
            Self::NotSteady { .. } => Some(BUSY.to_owned()),
            Self::NotTortured => Some("give STAGE=local or STAGE=swarm".to_owned()),
            Self::AlwaysThree => Some("leave REPLICAS unset".to_owned()),
            Self::Experiment(_) | Self::Schema(_) | Self::Results(_) => None,
        }
    }

    /// Lines of context worth showing between cause and cure.
    #[must_use]
    pub fn context(&self) -> &[String] {
        match self {
            Self::System(error) => error.context(),
            _ => &[],
        }
    }

    /// Tells it: the cause, what belongs to it, the cure.
    pub fn tell(&self, console: Console) {
        tell(self, self.context(), self.help(), console);
    }

    pub(crate) fn is_interrupted(&self) -> bool {
        matches!(self, Self::System(SystemError::Interrupted))
    }

    /// Whether something that was started, or broken, is still there.
    pub(crate) fn is_not_rolled_back(&self) -> bool {
        matches!(self, Self::System(SystemError::NotRolledBack(_)))
    }
}

/// What concerns the system is the system's, whoever met it first.
impl From<ChaosError> for ExperimentError {
    fn from(error: ChaosError) -> Self {
        match error {
            ChaosError::System(error) => Self::System(error),
            error => Self::Chaos(error),
        }
    }
}
