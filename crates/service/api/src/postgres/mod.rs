//! Sessions with Postgres: where they lead, how they are opened, when they are trusted. Speaks no SQL of the service's.
//!
//! Everything is dialled and driven on the main runtime. A session goes back to its pool only when its last statement is
//! known to have ended, and leaves it again only if nothing has happened since that makes it doubtful.

mod database;
mod dial;
mod error;
mod manager;
mod nodes;
mod parameters;
mod pool;
mod session;
mod sqlstate;
mod statement;
mod tcp;
#[cfg(test)]
mod tests;
mod tls;
mod trust;

pub(crate) use self::database::Database;
pub(crate) use self::error::DatabaseError;
pub(crate) use self::pool::{PoolLimits, PoolOptions, Sessions, Usage};
pub(crate) use self::session::Session;
pub use self::sqlstate::{Attribution, class_of, reason_of};
