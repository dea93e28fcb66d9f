//! What the policy is told of an attempt: by the error, and of an answer whether its time is the dependency's.

use std::error::Error as StdError;

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
    /// Part of the time went where nobody was reached.
    pub(crate) after_detour: bool,
}

impl<T> Answer<T> {
    /// One that came from where it was asked for first.
    pub(crate) fn direct(value: T) -> Self {
        Self {
            value,
            after_detour: false,
        }
    }
}

/// Classifies by the error; every answer is a success.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ByError;

impl<T, E: DependencyError> Classify<Answer<T>, E> for ByError {
    fn classify(&self, outcome: &Result<Answer<T>, E>) -> Class {
        match outcome {
            Ok(answer) if answer.after_detour => Class::success().untimed(),
            Ok(_) => Class::success(),
            Err(error) => error.class().because(error.reason().as_str()),
        }
    }
}
