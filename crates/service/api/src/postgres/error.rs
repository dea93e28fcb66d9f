//! What can go wrong with Postgres, and what each failure means for the policies and for the sessions.

use std::io;

use holdfast_policy::Class;
use holdfast_wire::Reason;

use super::sqlstate::{self, class_of, class_of_refused_session, is_stale_plan, reason_of};
use crate::causes::cause;
use crate::dependency::DependencyError;
use crate::resolver::ResolveError;

/// Why a session cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Its name has no address.
    #[error("the database's name does not resolve")]
    Resolve(#[from] ResolveError),
    /// No TCP connection.
    #[error("the database cannot be reached")]
    Tcp(#[source] io::Error),
    /// No session in time.
    #[error("no session within the connect timeout")]
    Timeout,
    /// It cannot be encrypted as the URL asks for.
    #[error("the session cannot be encrypted as sslmode asks for")]
    Tls(#[source] tokio_postgres::Error),
    /// The server refused the session, or spoke nonsense.
    #[error("the database refused the session")]
    Session(#[source] tokio_postgres::Error),
    /// It refused one a moment ago, with this SQLSTATE; it was not asked again.
    #[error("the database refused a session a moment ago ({0})")]
    RefusedLately(String),
    /// There is a server, but it takes no writes.
    #[error("the database takes no writes: a standby, or set to read only")]
    NotWritable,
    /// Something stands between that does not keep a session's settings.
    #[error("a pooler that takes no session settings: add pgbouncer=true to DATABASE_URL")]
    Pooler(#[source] Option<tokio_postgres::Error>),
}

impl From<tokio_postgres::Error> for ConnectError {
    fn from(error: tokio_postgres::Error) -> Self {
        let message = error
            .as_db_error()
            .map(tokio_postgres::error::DbError::message);
        if message.is_some_and(|it| it.starts_with("unsupported startup parameter")) {
            Self::Pooler(Some(error))
        } else if error
            .to_string()
            .starts_with("error performing TLS handshake")
            && !is_cut_off(&error)
        {
            Self::Tls(error)
        } else {
            Self::Session(error)
        }
    }
}

impl ConnectError {
    /// What the server called it.
    pub(super) fn sqlstate(&self) -> Option<&str> {
        match self {
            Self::Session(error) | Self::Pooler(Some(error)) => Some(error.code()?.code()),
            Self::RefusedLately(sqlstate) => Some(sqlstate),
            _ => None,
        }
    }

    /// Whether it would be the same at any host: our name or password is wrong.
    pub(super) fn is_about_us(&self) -> bool {
        self.sqlstate().is_some_and(|it| it.starts_with("28"))
    }

    /// Whether sessions that are open may be good all the same: the login is refused, or one more.
    pub(super) fn spares_other_sessions(&self) -> bool {
        self.is_about_us() || self.sqlstate() == Some("53300")
    }

    fn class(&self) -> Class {
        match self {
            Self::Session(_) | Self::RefusedLately(_) | Self::Pooler(_) => match self.sqlstate() {
                Some(sqlstate) => class_of_refused_session(sqlstate),
                None => Class::failure().retry_always(),
            },
            _ => Class::failure().retry_always(),
        }
    }

    fn reason(&self) -> Reason {
        match self {
            Self::Resolve(_) => Reason::DnsFailure,
            Self::Tcp(_) => Reason::ConnectRefused,
            Self::Timeout => Reason::ConnectTimeout,
            Self::Tls(_) => Reason::TlsFailure,
            Self::NotWritable => Reason::NotWritable,
            Self::RefusedLately(sqlstate) => reason_of(sqlstate),
            Self::Pooler(_) => Reason::BadStatus,
            Self::Session(error) => match error.code() {
                Some(code) => reason_of(code.code()),
                None if error.is_closed() || is_cut_off(error) => Reason::ConnectionReset,
                None => Reason::BadResponse,
            },
        }
    }
}

/// A failed call to Postgres.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// Every session was taken for the whole wait.
    #[error("no free session within the pool's wait")]
    PoolExhausted,
    /// A session cannot be opened.
    #[error(transparent)]
    Connect(ConnectError),
    /// One more session cannot be opened, though those that are open do their work.
    #[error("no free session, and no new one")]
    NoMoreSessions(#[source] ConnectError),
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
    /// What the session had prepared is of no use any more: the schema was changed under it, or the session.
    #[error("the session's prepared statement is out of date")]
    StalePlan(#[source] tokio_postgres::Error),
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

/// What a statement's end means for its session, and for the others of the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aftermath {
    /// It can serve the next statement.
    Sound,
    /// It cannot.
    Spent,
    /// It cannot, and who knows about the others.
    OthersInDoubt,
    /// Nor can any other that is open now.
    OthersUseless,
}

impl From<tokio_postgres::Error> for DatabaseError {
    fn from(error: tokio_postgres::Error) -> Self {
        if is_stale_plan(&error) {
            Self::StalePlan(error)
        } else if let Some(code) = error.code() {
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
    pub(super) fn aftermath(&self) -> Aftermath {
        match self {
            Self::Refused { sqlstate, .. } if sqlstate == "25006" => Aftermath::OthersUseless,
            Self::Refused { sqlstate, .. } if sqlstate::leaves_session_sound(sqlstate) => {
                Aftermath::Sound
            }
            Self::StalePlan(_) => Aftermath::OthersUseless,
            Self::Refused { .. } | Self::Lost(_) => Aftermath::OthersInDoubt,
            _ => Aftermath::Spent,
        }
    }
}

impl DependencyError for DatabaseError {
    fn class(&self) -> Class {
        match self {
            // The database may be well: it is our pool that is small.
            Self::PoolExhausted | Self::Pool(_) => Class::neutral(),
            Self::NoMoreSessions(_) | Self::StalePlan(_) => Class::neutral().retry_if_idempotent(),
            Self::Connect(error) => error.class(),
            Self::Refused { sqlstate, .. } => class_of(sqlstate),
            Self::Lost(_) | Self::TableLocked(_) => Class::failure().retry_if_idempotent(),
            Self::Garbled(_) => Class::failure(),
        }
    }

    fn reason(&self) -> Reason {
        match self {
            Self::PoolExhausted | Self::Pool(_) => Reason::PoolExhausted,
            Self::Connect(error) | Self::NoMoreSessions(error) => error.reason(),
            Self::Refused { sqlstate, .. } => reason_of(sqlstate),
            Self::Lost(_) => Reason::ConnectionReset,
            Self::TableLocked(_) => Reason::AttemptTimeout,
            Self::StalePlan(_) => Reason::BadStatus,
            Self::Garbled(_) => Reason::BadResponse,
        }
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
