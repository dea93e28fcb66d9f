//! What every Holdfast process needs, and nothing of what it does: exit codes, the injected environment, telemetry,
//! trace context, readiness with drain, signals, the listening socket, the health probe, the process's own metrics, and the
//! `main` they add up to.
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
mod trace_context;

pub use environment::{Environment, EnvironmentError};
pub use listen::listen;
pub use readiness::Readiness;
pub use trace_context::{TraceContext, TraceId, describe, failed};
