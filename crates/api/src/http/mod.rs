//! The HTTP surface: routes, bodies, and the one table that turns errors into problems.

mod body;
mod dashboard;
mod envelope;
mod ids;
mod key;
mod measure;
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

pub(crate) use dashboard::{Feed, keep_feeding};
pub(crate) use envelope::{RequestSpan, envelope};
pub(crate) use measure::measure;
pub(crate) use routes::{expected, routes};
