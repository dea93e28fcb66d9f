//! The trace that the task at hand belongs to, and its spans: one per call of a dependency, one per attempt.
//!
//! The trace travels with the task, not through signatures: the use case has no use for it. Spans are at level `debug`,
//! so that a healthy call pays for none of them unless they are asked for; the request's own span is always there.

use std::cell::RefCell;

use holdfast_ops::TraceContext;
use holdfast_policy::{Event, Observer};
use tokio::task_local;
use tracing::field::Empty;
use tracing::level_filters::LevelFilter;
use tracing::{Instrument, Span};
use uuid::Uuid;

use crate::seconds::milliseconds;

task_local! {
    static CONTEXT: TraceContext;
    /// The span of the call's latest attempt: its outcome is known only to the policy around it.
    static ATTEMPT: RefCell<Span>;
}

/// Runs `future` as part of `context`.
pub(crate) async fn within<F: Future>(context: TraceContext, future: F) -> F::Output {
    CONTEXT.scope(context, future).await
}

/// Makes `future` part of the trace and the span at hand, wherever it runs.
pub(crate) fn carried<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let context = current().unwrap_or_else(TraceContext::begin);
    within(context, future).in_current_span()
}

/// What a call made from here carries; `None` outside any trace.
#[must_use]
pub(crate) fn current() -> Option<TraceContext> {
    CONTEXT.try_with(TraceContext::clone).ok()
}

/// Runs `future`, which works on a request that was put off, in a trace of its own: that of its client is over.
pub(crate) async fn recovering<F: Future>(request_id: Uuid, future: F) -> F::Output {
    let context = TraceContext::begin();
    let trace_id = context.trace_id();
    let span = tracing::info_span!("recovery", %request_id, %trace_id);
    within(context, future).instrument(span).await
}

/// Runs `future`, a policed call of `dependency`, in a span of its own.
pub(crate) async fn call<F: Future>(dependency: &'static str, future: F) -> F::Output {
    let span = tracing::debug_span!("call", dependency, outcome = Empty, attempts = Empty);
    let no_attempt = RefCell::new(Span::none());
    ATTEMPT.scope(no_attempt, future).instrument(span).await
}

/// Runs `future`, an attempt of the call at hand, in a span of its own; what it sends names this span as its parent.
pub(crate) async fn attempt<F: Future>(future: F) -> F::Output {
    let context = current().map_or_else(TraceContext::begin, |context| context.child());
    let span = tracing::debug_span!(
        "attempt",
        span_id = context.parent_id(),
        number = Empty,
        outcome = Empty,
    );
    // Nobody keeps it outside a call.
    let _ = ATTEMPT.try_with(|latest| latest.replace(span.clone()));
    within(context, future).instrument(span).await
}

/// Writes the policy's verdicts into the spans of the calls they are about.
pub(crate) struct Spans;

impl Observer for Spans {
    fn on_event(&self, event: &Event) {
        // Nobody sees them: looking for the span at hand costs more than all that follows.
        if LevelFilter::current() < LevelFilter::DEBUG {
            return;
        }
        match event {
            Event::Attempt {
                number,
                outcome,
                elapsed,
                ..
            } => {
                let _ = ATTEMPT.try_with(|attempt| {
                    let span = attempt.borrow();
                    span.record("number", number)
                        .record("outcome", outcome.as_str());
                    let elapsed_seconds = milliseconds(*elapsed);
                    tracing::debug!(parent: &*span, elapsed_seconds, "attempt over");
                });
            }
            Event::Rejected { by, .. } => tracing::debug!(by = by.as_str(), "attempt refused"),
            Event::Retry { number, after, .. } => {
                tracing::debug!(number, after_seconds = milliseconds(*after), "trying again");
            }
            Event::Call {
                outcome,
                attempts,
                elapsed,
                ..
            } => {
                let span = Span::current();
                span.record("outcome", outcome.as_str())
                    .record("attempts", attempts);
                tracing::debug!(elapsed_seconds = milliseconds(*elapsed), "call over");
            }
            _ => {}
        }
    }
}
