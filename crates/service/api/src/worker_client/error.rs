//! What can go wrong with a call to the worker, and what each failure means for the policies.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use holdfast_policy::{Class, Health, Retry};
use holdfast_wire::Reason;

use crate::causes::{cause, causes};
use crate::dependency::DependencyError;
use crate::resolver::ResolveError;

type BoxError = Box<dyn StdError + Send + Sync>;

/// A failed call to the worker.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// Its name has no address.
    #[error("the worker's name does not resolve")]
    Resolve(#[source] reqwest::Error),
    /// Nobody listens, or no route leads there.
    #[error("the worker cannot be reached")]
    Refused(#[source] reqwest::Error),
    /// No connection within the connect timeout.
    #[error("no connection to the worker in time")]
    ConnectTimeout(#[source] reqwest::Error),
    /// It cannot be spoken to as securely as its address asks for.
    #[error("the worker's connection cannot be encrypted")]
    Tls(#[source] reqwest::Error),
    /// The connection ended before the answer did.
    #[error("the worker's connection ended before its answer did")]
    Reset(#[source] reqwest::Error),
    /// It answered with another status than 2xx.
    #[error("the worker answered {status}")]
    Status {
        /// The status.
        status: u16,
        /// Its `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// It answered with something that is no HTTP, no JSON or far too large.
    #[error("the worker's answer makes no sense")]
    BadResponse(#[source] BoxError),
    /// One of several endpoints did not answer in time.
    #[error("the worker did not answer in time")]
    Timeout,
    /// One of several endpoints failed; others are well.
    #[error(transparent)]
    OfOneEndpoint(Box<Self>),
    /// There is none to call.
    #[error("the worker has no endpoint")]
    NoEndpoint,
}

impl From<reqwest::Error> for WorkerError {
    fn from(error: reqwest::Error) -> Self {
        if cause::<ResolveError>(&error).is_some() {
            Self::Resolve(error)
        } else if causes(&error).any(is_tls) {
            Self::Tls(error)
        } else if error.is_connect() && error.is_timeout() {
            Self::ConnectTimeout(error)
        } else if error.is_connect() {
            Self::Refused(error)
        } else if is_cut_off(&error) {
            Self::Reset(error)
        } else {
            Self::BadResponse(error.into())
        }
    }
}

impl WorkerError {
    /// Whether the worker may be well, and the request is what it cannot do.
    pub(crate) fn may_be_the_requests(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status, 400 | 409 | 413 | 415 | 422),
            Self::OfOneEndpoint(error) => error.may_be_the_requests(),
            _ => false,
        }
    }
}

impl DependencyError for WorkerError {
    fn class(&self) -> Class {
        match self {
            Self::Resolve(_) | Self::Refused(_) | Self::ConnectTimeout(_) | Self::Tls(_) => {
                Class::failure().retry_always()
            }
            Self::Status {
                status,
                retry_after,
            } if matches!(status, 429 | 500..) => {
                // Says itself that it has too much to do.
                let throttled = *status == 429 || (*status == 503 && retry_after.is_some());
                let class = match throttled {
                    true => Class::throttled(),
                    false => Class::failure().retry_if_idempotent(),
                };
                retry_after.map_or(class, |pause| class.retry_after(pause))
            }
            Self::Status { .. } if self.may_be_the_requests() => Class::neutral(),
            // A redirect, a login, a wrong path: somebody deployed it wrong, and the next try fares no better.
            Self::Status { .. } => Class::failure(),
            Self::Reset(_) | Self::BadResponse(_) | Self::Timeout => {
                Class::failure().retry_if_idempotent()
            }
            // Held against that endpoint, not against the worker. Worth another try, elsewhere, also where the next one there would
            // fare no better.
            Self::OfOneEndpoint(error) => {
                let mut class = error.class();
                if class.retry == Retry::Never && !error.may_be_the_requests() {
                    class.retry = Retry::IfIdempotent;
                }
                class.health = Health::Neutral;
                class
            }
            Self::NoEndpoint => Class::failure().retry_always(),
        }
    }

    fn reason(&self) -> Reason {
        match self {
            Self::OfOneEndpoint(error) => error.reason(),
            Self::Timeout => Reason::AttemptTimeout,
            Self::Resolve(_) | Self::NoEndpoint => Reason::DnsFailure,
            Self::Refused(_) => Reason::ConnectRefused,
            Self::ConnectTimeout(_) => Reason::ConnectTimeout,
            Self::Tls(_) => Reason::TlsFailure,
            Self::Reset(_) => Reason::ConnectionReset,
            Self::Status { .. } => Reason::BadStatus,
            Self::BadResponse(_) => Reason::BadResponse,
        }
    }
}

/// The connection was reset or closed in the middle of an answer.
fn is_cut_off(error: &reqwest::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let by_kind = cause::<io::Error>(error).is_some_and(|error| {
        matches!(
            error.kind(),
            BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof
        )
    });
    by_kind || cause::<hyper::Error>(error).is_some_and(hyper::Error::is_incomplete_message)
}

/// An I/O error that carries one of TLS, which it does not show among its causes.
fn is_tls(error: &(dyn StdError + 'static)) -> bool {
    let inner = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    inner.is_some_and(|inner| inner.is::<rustls::Error>() || is_tls(inner))
}
