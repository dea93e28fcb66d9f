#![doc = include_str!("../README.md")]

pub mod attempt;
pub mod breaker;
mod builder;
pub mod bulkhead;
mod call;
mod capacity;
mod class;
pub mod config;
pub mod deadline;
mod error;
mod event;
mod foreign;
mod handle;
pub mod hedge;
#[cfg(feature = "http")]
pub mod http;
pub mod keyed;
mod lazy_sleep;
mod lock;
mod nanoseconds;
mod now;
#[cfg(any(feature = "metrics", feature = "tracing"))]
pub mod observe;
mod parts;
mod policy;
mod priority;
mod reconfigure;
mod reporter;
pub mod retry;
mod snapshot;
mod stack;
#[cfg(test)]
mod support;
mod sync;
pub mod timeout;

pub use self::attempt::Attempt;
pub use self::builder::Builder;
pub use self::call::Call;
pub use self::class::{Class, Classify, ErrorsAreFailures, Health, Retry};
pub use self::config::{
    AdaptiveConfig, BackoffConfig, BreakerConfig, BudgetConfig, BulkheadConfig, ConfigError,
    HedgeConfig, HedgeDelay, PolicyConfig, RetryConfig, ThrottledConfig, Window,
};
pub use self::deadline::Deadline;
pub use self::error::{Error, ErrorKind};
pub use self::event::{CallOutcome, Event, HedgeOutcome, Observer, Outcome, RejectedBy};
pub use self::keyed::{Keyed, KeyedConfig};
pub use self::policy::{AttemptsFuture, CallFuture, OnceFuture, Policy};
pub use self::priority::Priority;
pub use self::snapshot::{BreakerState, OpenedBecause, OpeningRule, Snapshot};
pub use self::stack::{OnceLayer, OnceStack, Stack, StackFuture};
