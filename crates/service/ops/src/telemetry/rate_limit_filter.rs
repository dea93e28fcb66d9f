//! Keeps an outage from filling the disk: lines that say the same are written a few times a second, then counted.
//!
//! The same: from one place in the code, about one dependency, for one reason. What is below `info` is never suppressed:
//! an operator who turns it on wants all of it.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;
use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, Filter};

use super::log_rate_limiter::{LogRateLimiter, Suppressed};

/// Warnings and errors of a kind in a second.
const MAX_WARNINGS: u32 = 5;
/// Informational lines of a kind in a second: an outage has the journal say one per request.
const MAX_INFO: u32 = 50;
/// The module that logs what was suppressed.
const OURS: &str = "holdfast_ops::telemetry";

type Kind = (Identifier, Option<String>, Option<String>);

/// The filter. Clones share their counts.
#[derive(Clone, Default)]
pub(super) struct RateLimitFilter(Arc<Mutex<LogRateLimiter<Kind>>>);

impl RateLimitFilter {
    /// What was suppressed up to the last full second before `now`, or at all; counted anew from here.
    pub(super) fn suppressed(&self, now: Option<Instant>) -> Vec<Suppressed> {
        let mut limiter = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        limiter.suppressed(now)
    }

    fn admits(&self, event: &Event<'_>) -> bool {
        let metadata = event.metadata();
        let max = match *metadata.level() {
            Level::ERROR | Level::WARN => MAX_WARNINGS,
            Level::INFO => MAX_INFO,
            _ => return true,
        };
        if metadata.target().starts_with(OURS) {
            return true;
        }
        let mut said = Said::default();
        event.record(&mut said);
        let kind = (
            metadata.callsite(),
            said.dependency.clone(),
            said.reason.clone(),
        );
        let mut limiter = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        limiter.admit(kind, max, Instant::now(), || said.into())
    }
}

/// Where spans are exported as well: of the log alone.
impl<S: Subscriber> Filter<S> for RateLimitFilter {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    // Without it the filter beside would have to be asked for each line, whatever its level.
    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::TRACE)
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        self.admits(event)
    }
}

/// Where there is nothing but the log: a filter of one layer costs each span, at every turn.
impl<S: Subscriber> Layer<S> for RateLimitFilter {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        self.admits(event)
    }
}

/// What tells one kind of line from another.
#[derive(Default)]
struct Said {
    message: String,
    dependency: Option<String>,
    reason: Option<String>,
}

impl From<Said> for Suppressed {
    fn from(said: Said) -> Self {
        Self {
            line: said.message,
            dependency: said.dependency,
            reason: said.reason,
            count: 0,
        }
    }
}

impl Visit for Said {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "dependency" => self.dependency = Some(value.to_owned()),
            "reason" => self.reason = Some(value.to_owned()),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        }
    }
}
