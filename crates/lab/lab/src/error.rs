//! Why a command failed: what the crates below tell, and what only commands can say.

use holdfast_experiment::error::ExperimentError;
use holdfast_system::error::{BUSY, SystemError, tell};
use thiserror::Error;

use crate::output::Console;

/// Why a command failed.
#[derive(Debug, Error)]
pub(crate) enum LabError {
    /// Whatever it called.
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    /// The measurement is void.
    #[error("{0}")]
    Measurement(String),
}

impl LabError {
    /// Whether nothing was tried because the configuration is wrong.
    pub(crate) fn is_configuration(&self) -> bool {
        matches!(self, Self::Experiment(ExperimentError::System(error)) if error.is_configuration())
    }

    /// Tells it: the cause, what belongs to it, the cure.
    pub(crate) fn tell(&self, console: Console) {
        match self {
            Self::Experiment(error) => error.tell(console),
            Self::Measurement(_) => tell(self, &[], Some(BUSY.to_owned()), console),
        }
    }
}

impl From<SystemError> for LabError {
    fn from(error: SystemError) -> Self {
        Self::Experiment(error.into())
    }
}

impl From<tokio_postgres::Error> for LabError {
    fn from(error: tokio_postgres::Error) -> Self {
        SystemError::from(error).into()
    }
}
