//! What the policy is told of an attempt: by the error, and of an answer how much of its time was the dependency's.

use std::error::Error as StdError;
use std::time::Duration;

use holdfast_policy::{Class, Classify};
use holdfast_wire::Reason;

/// A dependency's failure that knows what it means.
pub trait DependencyError: StdError + Send + Sync + 'static {
    /// What it says about the dependency's health and about trying again.
    fn class(&self) -> Class;
    /// What it is called in answers and metrics.
    fn reason(&self) -> Reason;
}

/// What an attempt brought.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    pub(crate) value: T,
    /// So much of its time went where nobody was reached.
    pub(crate) elsewhere: Duration,
}

impl<T> Answer<T> {
    /// One that came from where it was asked for first.
    pub(crate) fn direct(value: T) -> Self {
        Self {
            value,
            elsewhere: Duration::ZERO,
        }
    }
}

/// Classifies by the error; every answer is a success.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ByError;

impl<T, E: DependencyError> Classify<Answer<T>, E> for ByError {
    fn classify(&self, outcome: &Result<Answer<T>, E>) -> Class {
        match outcome {
            Ok(answer) => Class::success().elsewhere(answer.elsewhere),
            Err(error) => error.class().because(error.reason().as_str()),
        }
    }
}
