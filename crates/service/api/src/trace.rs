//! The trace that the task at hand belongs to, and its spans: one per call of a dependency, one per attempt, one per write
//! that waits for others to share its statement.
//!
//! The trace travels with the task, not through signatures: the use case has no use for it. Spans are at level `debug`,
//! so that a healthy call pays for none of them unless they are asked for, by the log's filter or because a collector is
//! there; the request's own span is always there.

mod deferred;

use std::cell::RefCell;

use holdfast_ops::{TraceContext, describe, failed, telemetry};
use holdfast_policy::{Event, Observer, Outcome};
use reqwest::Url;
use tokio::task_local;
use tracing::field::{Empty, display};
use tracing::level_filters::LevelFilter;
use tracing::{Instrument, Span};
use uuid::Uuid;

pub(crate) use self::deferred::DeferredTraces;
use crate::seconds::milliseconds;

task_local! {
    static CONTEXT: TraceContext;
    /// The span of the call's latest attempt: its outcome is known only to the policy around it.
    static ATTEMPT: RefCell<Span>;
}

/// What is called, by the names of the semantic conventions.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    Http,
    Postgres,
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

/// The trace at hand, where a collector shall see it.
#[must_use]
pub(crate) fn exported() -> Option<TraceContext> {
    telemetry::spans_are_exported().then(current).flatten()
}

/// Runs `future`, which works on a request that was deferred, in a trace of its own, linked to that of the client who was
/// told so, if this replica knows it: that one is over.
pub(crate) async fn recovering<F: Future>(
    request_id: Uuid,
    deferral: Option<TraceContext>,
    future: F,
) -> F::Output {
    let span = tracing::info_span!("recovery", %request_id, trace_id = Empty);
    let context = TraceContext::of(&span).unwrap_or_else(TraceContext::begin);
    span.record("trace_id", display(context.trace_id()));
    if let Some(deferral) = deferral {
        deferral.link(&span);
    }
    within(context, future).instrument(span).await
}

/// What a call of the worker carries: the attempt's, where that has a span; else a child of the trace at hand.
#[must_use]
pub(crate) fn outgoing() -> Option<TraceContext> {
    let context = current()?;
    Some(if nobody_looks() {
        context.child()
    } else {
        context
    })
}

/// Whether neither the log nor a collector has a use for any span but the request's own. Then none is made, nor looked for:
/// that costs more than all that would be said in it.
fn nobody_looks() -> bool {
    LevelFilter::current() < LevelFilter::DEBUG
}

/// Runs `future`, a policed call of `dependency`, in a span of its own.
pub(crate) async fn call<F: Future>(dependency: &'static str, future: F) -> F::Output {
    if nobody_looks() {
        return future.await;
    }
    let span = tracing::debug_span!("call", dependency, outcome = Empty, attempts = Empty);
    let no_attempt = RefCell::new(Span::none());
    ATTEMPT.scope(no_attempt, future).instrument(span).await
}

/// Runs `future`, an attempt of the call at hand, in a span of its own; what it sends names this span as its parent.
pub(crate) async fn attempt<F: Future>(target: Target, future: F) -> F::Output {
    if nobody_looks() {
        return future.await;
    }
    let name = match target {
        Target::Http => "GET",
        Target::Postgres => "postgresql",
    };
    let span = tracing::debug_span!(
        "attempt",
        otel.name = name,
        otel.kind = "client",
        span_id = Empty,
        number = Empty,
        outcome = Empty,
    );
    let context = TraceContext::of(&span)
        .unwrap_or_else(|| current().map_or_else(TraceContext::begin, |context| context.child()));
    if !span.is_disabled() {
        span.record("span_id", context.parent_id());
        match target {
            Target::Http => describe(&span, "http.request.method", "GET"),
            Target::Postgres => describe(&span, "db.system.name", "postgresql"),
        }
    }
    // Nobody keeps it outside a call.
    let _ = ATTEMPT.try_with(|latest| latest.replace(span.clone()));
    within(context, future).instrument(span).await
}

/// The attempt at hand calls `url`.
pub(crate) fn calls(url: &Url) {
    if !telemetry::spans_are_exported() {
        return;
    }
    let span = Span::current();
    describe(&span, "url.full", url.as_str().to_owned());
    describe(
        &span,
        "server.address",
        url.host_str().unwrap_or_default().to_owned(),
    );
    let port = url.port_or_known_default().unwrap_or_default();
    describe(&span, "server.port", i64::from(port));
}

/// The attempt at hand was answered with `status`.
pub(crate) fn answered(status: u16) {
    if !telemetry::spans_are_exported() {
        return;
    }
    describe(
        &Span::current(),
        "http.response.status_code",
        i64::from(status),
    );
}

/// Runs `future`, which writes for all whose traces these are, in a span that is linked to each of them.
pub(crate) async fn shared<F: Future>(of: Vec<TraceContext>, future: F) -> F::Output {
    if nobody_looks() {
        return future.await;
    }
    let span = tracing::debug_span!(parent: None, "flush");
    for context in of {
        context.link(&span);
    }
    future.instrument(span).await
}

/// Writes the policy's verdicts into the spans of the calls they are about.
pub(crate) struct Spans;

impl Observer for Spans {
    fn on_event(&self, event: &Event) {
        if nobody_looks() {
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
                    attempt_over(&span, *number, *outcome);
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

fn attempt_over(span: &Span, number: u32, outcome: Outcome) {
    span.record("number", number)
        .record("outcome", outcome.as_str());
    if number > 1 {
        describe(span, "http.request.resend_count", i64::from(number) - 1);
    }
    if !matches!(outcome, Outcome::Success | Outcome::Slow | Outcome::Neutral) {
        describe(span, "error.type", outcome.as_str());
        failed(span, outcome.as_str());
    }
}
