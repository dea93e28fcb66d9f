//! What every Holdfast process needs, and nothing of what it does: exit codes, the injected environment, telemetry,
//! readiness with drain, signals, the listening socket, the health probe, the process's own metrics, and the `main` they add up to.
//!
//! Knows no web framework and no sibling crate.

pub mod environment;
pub mod exit;
mod listen;
pub mod probe;
pub mod process_metrics;
pub mod readiness;
pub mod service;
pub mod signals;
pub mod telemetry;

pub use environment::{Environment, EnvironmentError};
pub use listen::listen;
pub use readiness::Readiness;
