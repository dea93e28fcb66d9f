//! How calls of the world's dependencies fail, in the service's own classes.

use holdfast_api::embedded::{DependencyError, WorkerError, class_of, reason_of};
use holdfast_policy::Class;
use holdfast_wire::Reason;

/// Five characters.
pub type SqlState = &'static str;

/// A failed call of Postgres.
#[derive(Debug, thiserror::Error)]
pub enum StatementFailure {
    /// Nobody listens.
    #[error("no session")]
    Refused,
    /// The connection ended before the answer came.
    #[error("the session ended under the statement")]
    Lost,
    /// It answered with an error.
    #[error("SQLSTATE {0}")]
    Answered(SqlState),
}

impl DependencyError for StatementFailure {
    fn class(&self) -> Class {
        match self {
            Self::Refused => Class::failure().retry_always(),
            Self::Lost => Class::failure().retry_if_idempotent(),
            Self::Answered(sqlstate) => class_of(sqlstate),
        }
    }

    fn reason(&self) -> Reason {
        match self {
            Self::Refused => Reason::ConnectRefused,
            Self::Lost => Reason::ConnectionReset,
            Self::Answered(sqlstate) => reason_of(sqlstate),
        }
    }
}

/// A failed call of the worker.
#[derive(Debug, thiserror::Error)]
pub enum WorkFailure {
    /// Nobody listens.
    #[error("the worker cannot be reached")]
    Refused,
    /// The connection ended before the answer came.
    #[error("the worker's connection ended before its answer did")]
    Lost,
    /// It answered with an error, which the service's own client judges.
    #[error(transparent)]
    Answered(WorkerError),
}

impl WorkFailure {
    /// It answered this.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Answered(WorkerError::Status {
            status,
            retry_after: None,
        })
    }
}

impl DependencyError for WorkFailure {
    fn class(&self) -> Class {
        match self {
            Self::Refused => Class::failure().retry_always(),
            Self::Lost => Class::failure().retry_if_idempotent(),
            Self::Answered(error) => error.class(),
        }
    }

    fn reason(&self) -> Reason {
        match self {
            Self::Refused => Reason::ConnectRefused,
            Self::Lost => Reason::ConnectionReset,
            Self::Answered(error) => error.reason(),
        }
    }
}
