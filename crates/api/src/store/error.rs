//! What can go wrong with Postgres, and what each failure means for the policies.

use std::io;

use holdfast_policy::Class;
use holdfast_wire::Reason;

use super::manager::ConnectError;
use crate::causes::cause;
use crate::dependency::DependencyError;

/// A failed call to Postgres.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// Every session was taken for the whole wait.
    #[error("no free session within the pool's wait")]
    PoolExhausted,
    /// No session within the connect timeout.
    #[error("no session within the connect timeout")]
    ConnectTimeout,
    /// A session cannot be opened.
    #[error(transparent)]
    Connect(ConnectError),
    /// The server answered a statement with an error.
    #[error("the database refused the statement ({sqlstate})")]
    Refused {
        /// Its SQLSTATE.
        sqlstate: String,
        /// The whole error.
        source: tokio_postgres::Error,
    },
    /// A lock that somebody holds on the table, and not on a row of it.
    #[error("somebody holds a lock on the table")]
    TableLocked(#[source] tokio_postgres::Error),
    /// The session ended under the statement.
    #[error("the session ended under the statement")]
    Lost(#[source] tokio_postgres::Error),
    /// The answer is no answer to the statement.
    #[error("the database's answer makes no sense")]
    Garbled(#[source] tokio_postgres::Error),
    /// The pool is closed or misused: a defect of ours.
    #[error("the pool gives no session: {0}")]
    Pool(String),
}

/// What an error of Postgres is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attribution {
    /// The server, or the way there.
    Server,
    /// A lock that somebody holds.
    Lock,
    /// A table or column that is not there.
    Schema,
    /// What was to be written.
    Row,
}

impl Attribution {
    /// By its SQLSTATE; without one it is the way there.
    pub(crate) fn of(error: &tokio_postgres::Error) -> Self {
        error
            .code()
            .map_or(Self::Server, |code| Self::of_sqlstate(code.code()))
    }

    fn of_sqlstate(sqlstate: &str) -> Self {
        match sqlstate {
            "55P03" => Self::Lock,
            // Undefined table, column, function, schema.
            "42P01" | "42703" | "42883" | "3F000" => Self::Schema,
            _ => match sqlstate.get(..2) {
                Some("22" | "23" | "42" | "P0" | "XX") => Self::Row,
                _ => Self::Server,
            },
        }
    }
}

impl From<tokio_postgres::Error> for DatabaseError {
    fn from(error: tokio_postgres::Error) -> Self {
        if let Some(code) = error.code() {
            let sqlstate = code.code().to_owned();
            Self::Refused {
                sqlstate,
                source: error,
            }
        } else if error.is_closed() || is_cut_off(&error) {
            Self::Lost(error)
        } else {
            Self::Garbled(error)
        }
    }
}

impl DatabaseError {
    /// Whether the session can serve the next statement. One whose statement was cancelled or timed out cannot: a
    /// late cancel request could hit its successor.
    pub(super) fn leaves_session_sound(&self) -> bool {
        match self {
            Self::Refused { sqlstate, .. } => {
                matches!(sqlstate.get(..2), Some("22" | "23" | "40" | "42"))
            }
            _ => false,
        }
    }
}

impl DependencyError for DatabaseError {
    fn class(&self) -> Class {
        match self {
            // The database may be well: it is our pool that is small.
            Self::PoolExhausted | Self::Pool(_) => Class::neutral(),
            Self::Connect(ConnectError::Session(error)) => match error.code() {
                Some(code) => class_of(code.code()),
                None => Class::failure().retry_always(),
            },
            Self::ConnectTimeout | Self::Connect(_) => Class::failure().retry_always(),
            Self::Refused { sqlstate, .. } => class_of(sqlstate),
            Self::Lost(_) | Self::TableLocked(_) => Class::failure().retry_if_idempotent(),
            Self::Garbled(_) => Class::failure(),
        }
    }

    fn reason(&self) -> Reason {
        match self {
            Self::PoolExhausted | Self::Pool(_) => Reason::PoolExhausted,
            Self::ConnectTimeout => Reason::ConnectTimeout,
            Self::Connect(ConnectError::Resolve(_)) => Reason::DnsFailure,
            Self::Connect(ConnectError::Tcp(_)) => Reason::ConnectRefused,
            Self::Connect(ConnectError::Session(error)) => match error.code() {
                Some(code) => reason_of(code.code()),
                None if error.is_closed() || is_cut_off(error) => Reason::ConnectionReset,
                None => Reason::BadResponse,
            },
            Self::TableLocked(_) => Reason::AttemptTimeout,
            Self::Refused { sqlstate, .. } => reason_of(sqlstate),
            Self::Lost(_) => Reason::ConnectionReset,
            Self::Garbled(_) => Reason::BadResponse,
        }
    }
}

/// What an SQLSTATE says about the server's health, by its class unless one code of it stands out.
fn class_of(sqlstate: &str) -> Class {
    match sqlstate {
        // Serialization failure, deadlock: the database is well, and the whole transaction may be run again.
        "40001" | "40P01" => Class::neutral().retry_if_idempotent(),
        // Cancelled (our statement_timeout), read-only server, shutdown, crash, starting up.
        "57014" | "25006" => Class::failure().retry_if_idempotent(),
        _ if sqlstate.starts_with("57P0") => Class::failure().retry_if_idempotent(),
        _ => match sqlstate.get(..2) {
            // Connection lost, out of resources, trouble outside the server (disk).
            Some("08" | "53" | "58") => Class::failure().retry_if_idempotent(),
            // Bad data, broken constraint: our mistake, the database is well.
            Some("22" | "23") => Class::neutral(),
            // Unknown: assume the worst of the server, and do not add load.
            _ => Class::failure(),
        },
    }
}

fn reason_of(sqlstate: &str) -> Reason {
    match sqlstate {
        "57014" => Reason::AttemptTimeout,
        // Starting up or shutting down: it takes no sessions.
        "57P03" => Reason::ConnectRefused,
        "57P01" | "57P02" => Reason::ConnectionReset,
        // Too many connections.
        "53300" => Reason::PoolExhausted,
        _ if sqlstate.starts_with("08") => Reason::ConnectionReset,
        _ => Reason::BadStatus,
    }
}

/// The connection was reset or closed in the middle of an answer.
fn is_cut_off(error: &tokio_postgres::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    cause::<io::Error>(error).is_some_and(|error| {
        matches!(
            error.kind(),
            BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_in_trouble_is_a_failure_and_may_be_tried_again() {
        for sqlstate in [
            "08006", "53300", "57P01", "57P03", "57014", "58030", "25006",
        ] {
            assert_eq!(
                class_of(sqlstate),
                Class::failure().retry_if_idempotent(),
                "{sqlstate}"
            );
        }
    }

    #[test]
    fn our_own_mistakes_say_nothing_about_the_server() {
        for sqlstate in ["22P02", "23505"] {
            assert_eq!(class_of(sqlstate), Class::neutral(), "{sqlstate}");
        }
    }

    #[test]
    fn a_lost_race_is_tried_again_without_blaming_the_server() {
        for sqlstate in ["40001", "40P01"] {
            assert_eq!(
                class_of(sqlstate),
                Class::neutral().retry_if_idempotent(),
                "{sqlstate}"
            );
        }
    }

    #[test]
    fn what_nobody_listed_is_a_failure_that_is_not_retried() {
        for sqlstate in ["42P01", "XX000", "57000", ""] {
            assert_eq!(class_of(sqlstate), Class::failure(), "{sqlstate}");
        }
    }
}
