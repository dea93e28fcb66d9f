//! How calls of the world's dependencies fail, in the service's own classes.

use holdfast_api::embedded::{DependencyError, WorkerError, class_of, reason_of};
use holdfast_policy::Class;
use holdfast_wire::Reason;

/// A failed call.
#[derive(Debug, thiserror::Error)]
pub enum Failure<E> {
    /// Nobody listens.
    #[error("it cannot be reached")]
    Refused,
    /// The connection ended before the answer came.
    #[error("the connection ended before the answer came")]
    Lost,
    /// It answered with an error, which the service itself judges.
    #[error(transparent)]
    Answered(E),
}

/// Of Postgres.
pub type StatementFailure = Failure<SqlState>;
/// Of the worker.
pub type WorkFailure = Failure<WorkerError>;

/// Five characters.
#[derive(Debug, thiserror::Error)]
#[error("SQLSTATE {0}")]
pub struct SqlState(pub &'static str);

impl WorkFailure {
    /// It answered this.
    pub(crate) fn status(status: u16) -> Self {
        Self::Answered(WorkerError::Status {
            status,
            retry_after: None,
        })
    }
}

impl<E: DependencyError> DependencyError for Failure<E> {
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

impl DependencyError for SqlState {
    fn class(&self) -> Class {
        class_of(self.0)
    }

    fn reason(&self) -> Reason {
        reason_of(self.0)
    }
}
