//! What can go wrong with an experiment: that it is none, cannot be played, or cannot be written down.

use std::path::PathBuf;

use holdfast_checker::plan::Side;
use holdfast_checker::schema::SchemaError;
use holdfast_system::error::{BUSY, SystemError, tell};
use holdfast_testbed::output::Console;
use thiserror::Error;

use crate::results::ResultsError;

/// Why an experiment could not be played.
#[derive(Debug, Error)]
pub enum ExperimentError {
    #[error(transparent)]
    System(#[from] SystemError),
    #[error("{0}")]
    Experiment(String),
    #[error("there is no experiment in {}; {hint}", file.display())]
    NoExperiment { file: PathBuf, hint: String },
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// Nothing can be learnt from breaking what was not well before.
    #[error("{side}: there was no steady state to begin with: {seen}")]
    NotSteady { side: Side, seen: String },
    /// Torture was asked for what it cannot do, and what to ask for instead.
    #[error("{0}")]
    NotTortured(&'static str, &'static str),
    #[error(transparent)]
    Results(#[from] ResultsError),
}

impl ExperimentError {
    /// What to do about it, in one line; none where the cause already says it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::System(error) => error.help(),
            Self::NoExperiment { .. } => Some("see those there are: lab list".to_owned()),
            Self::NotSteady { .. } => Some(BUSY.to_owned()),
            Self::NotTortured(_, help) => Some((*help).to_owned()),
            Self::Experiment(_) | Self::Schema(_) | Self::Results(_) => None,
        }
    }

    /// Lines of context worth showing between cause and cure.
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
