//! The HTTP surface: routes, bodies, and the one table that turns errors into problems.

mod access;
mod admission;
mod body;
mod client;
mod connections;
mod dashboard;
mod endpoint;
mod envelope;
mod ids;
mod key;
mod measure;
mod metrics;
mod naive;
mod openapi;
mod operator;
mod policies;
mod prefer;
mod priority;
mod probes;
mod problem;
mod process;
mod requests;
mod routes;
mod server;
mod shared;
mod span;
mod status;

pub(crate) use admission::Admission;
pub(crate) use dashboard::{Feed, keep_feeding};
pub(crate) use operator::OperatorRoutes;
pub(crate) use process::ProcessRoute;
pub(crate) use requests::RequestRoutes;
pub(crate) use routes::{expected, routes};
pub(crate) use server::{max_exchanges, serve};
pub(crate) use shared::Shared;
