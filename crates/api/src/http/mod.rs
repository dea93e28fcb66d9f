//! The HTTP surface: routes, bodies, and the one table that turns errors into problems.

mod body;
mod envelope;
mod ids;
mod key;
mod metrics;
mod naive;
mod openapi;
mod policies;
mod probes;
mod problem;
mod process;
mod requests;
mod routes;
mod status;

pub(crate) use envelope::{RequestSpan, envelope};
pub(crate) use routes::routes;
