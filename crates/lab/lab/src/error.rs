//! Why a command failed: what the crates below tell, and what only commands can say.

use holdfast_experiment::error::ExperimentError;
use holdfast_system::error::{BUSY, SystemError, tell};
use thiserror::Error;

use crate::output::Console;

/// Why a command failed.
#[derive(Debug, Error)]
pub enum LabError {
    /// The system or its stage.
    #[error(transparent)]
    System(#[from] SystemError),
    /// An experiment.
    #[error(transparent)]
    Experiment(ExperimentError),
    /// The measurement is void.
    #[error("{0}")]
    Measurement(String),
}

impl LabError {
    /// What to do about it, in one line; none where the cause already says it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::System(error) => error.help(),
            Self::Experiment(error) => error.help(),
            Self::Measurement(_) => Some(BUSY.to_owned()),
        }
    }

    /// Whether nothing was tried because the configuration is wrong.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        matches!(self, Self::System(error) if error.is_configuration())
    }

    /// Tells it: the cause, what belongs to it, the cure.
    pub(crate) fn tell(&self, console: Console) {
        let context = match self {
            Self::System(error) => error.context(),
            _ => &[],
        };
        tell(self, context, self.help(), console);
    }
}

/// What concerns the system is the system's, whoever met it first.
impl From<ExperimentError> for LabError {
    fn from(error: ExperimentError) -> Self {
        match error {
            ExperimentError::System(error) => Self::System(error),
            error => Self::Experiment(error),
        }
    }
}

impl From<tokio_postgres::Error> for LabError {
    fn from(error: tokio_postgres::Error) -> Self {
        SystemError::from(error).into()
    }
}
