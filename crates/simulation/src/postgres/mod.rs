//! A model of Postgres: its tables (`rows`), what each statement of the service does to them (`live`, `open`, `replay`), and the server
//! around them that dies, hangs, loses answers and fails over (`server`). A test holds the first two against the real one.

pub mod live;
mod open;
mod replay;
pub mod rows;
pub mod server;
pub mod table;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use crate::world::time::Micros;

/// What is wrong inside, while the server itself is well.
#[derive(Debug, Clone, Default)]
pub struct Conditions {
    /// Rows that somebody else holds locked.
    pub locked_rows: BTreeSet<Uuid>,
    /// Keys that somebody else is about to take.
    pub(crate) locked_keys: BTreeSet<String>,
    /// The table of keys is not there.
    pub(crate) keys_are_missing: bool,
    /// Somebody took away what refuses a body that journals still hold.
    pub(crate) trigger_is_gone: bool,
}

/// As a column keeps it.
pub(crate) fn micros(at: Timestamp) -> Micros {
    at.as_microsecond()
}

/// As a column gives it back.
pub(crate) fn timestamp(at: Micros) -> Timestamp {
    Timestamp::from_microsecond(at).unwrap_or(Timestamp::UNIX_EPOCH)
}

pub(crate) fn span(interval: Duration) -> Micros {
    i64::try_from(interval.as_micros()).unwrap_or(i64::MAX / 4)
}
