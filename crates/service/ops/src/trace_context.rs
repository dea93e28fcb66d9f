//! W3C trace context: which trace a call belongs to, and whose child it is.
//!
//! Where spans are exported it is that of a span; else the ids tie the log lines of services together all the same.

use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{SpanContext, SpanId, Status, TraceContextExt, TraceFlags, TraceState};
use opentelemetry::{Context, Value};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

pub use opentelemetry::trace::TraceId;

use crate::telemetry::spans_are_exported;

/// The longest `tracestate` that is passed on, in bytes.
const MAX_STATE: usize = 512;

/// What a call carries: its trace, its caller's span, and what other systems say about the trace.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceContext(SpanContext);

impl TraceContext {
    /// A trace that begins here, not sampled.
    #[must_use]
    pub fn begin() -> Self {
        let trace = TraceId::from(fastrand::u128(1..));
        let state = TraceState::NONE;
        Self(SpanContext::new(
            trace,
            new_span(),
            TraceFlags::NOT_SAMPLED,
            false,
            state,
        ))
    }

    /// Reads the headers `traceparent` and `tracestate`. `None` where the first is none: the caller's trace is not known
    /// then. A `tracestate` that is too long, or not of printable characters, is left out.
    #[must_use]
    pub fn parse(traceparent: &str, tracestate: Option<&str>) -> Option<Self> {
        if !is_whole(traceparent) {
            return None;
        }
        let is_printable = |state: &str| state.bytes().all(|it| (b' '..=b'~').contains(&it));
        let may_pass = |state: &&str| (1..=MAX_STATE).contains(&state.len());
        let state = tracestate.filter(may_pass).filter(|it| is_printable(it));
        let headers = Headers([("traceparent", Some(traceparent)), ("tracestate", state)]);
        let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &headers);
        let context = context.span().span_context().clone();
        context.is_valid().then_some(Self(context))
    }

    /// That of `span`; `None` where spans are not exported, or this one is not there.
    #[must_use]
    pub fn of(span: &Span) -> Option<Self> {
        if !spans_are_exported() {
            return None;
        }
        let context = span.context().span().span_context().clone();
        context.is_valid().then_some(Self(context))
    }

    /// `span` is a child of this one, the caller's: before anything asks for the span's own.
    pub fn adopt(&self, span: &Span) {
        // It fails for a span whose id is known already; that one keeps its parent.
        let _ = span.set_parent(Context::new().with_remote_span_context(self.0.clone()));
    }

    /// `span` has to do with this one.
    pub fn link(&self, span: &Span) {
        span.add_link(self.0.clone());
    }

    /// The trace.
    #[must_use]
    pub fn trace_id(&self) -> TraceId {
        self.0.trace_id()
    }

    /// The same trace for a call made on behalf of this one: the parent is a new span.
    #[must_use]
    pub fn child(&self) -> Self {
        let (trace, flags) = (self.0.trace_id(), self.0.trace_flags());
        let state = self.0.trace_state().clone();
        Self(SpanContext::new(trace, new_span(), flags, false, state))
    }

    /// The span that calls, as 16 hex digits.
    #[must_use]
    pub fn parent_id(&self) -> String {
        self.0.span_id().to_string()
    }

    /// The headers that carry it: `traceparent`, and `tracestate` where there is one. Not by the SDK's propagator, which makes
    /// a context of its own for it, for each call.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, String)> {
        let (trace, span) = (self.0.trace_id(), self.0.span_id());
        let sampled = (self.0.trace_flags() & TraceFlags::SAMPLED).to_u8();
        let state = self.0.trace_state().header();
        let parent = ("traceparent", format!("00-{trace}-{span}-{sampled:02x}"));
        let state = (!state.is_empty()).then_some(("tracestate", state));
        std::iter::once(parent).chain(state)
    }
}

/// Says something of `span` to the collector that no log line needs, by the names of the semantic conventions.
pub fn describe(span: &Span, key: &'static str, value: impl Into<Value>) {
    if spans_are_exported() {
        span.set_attribute(key, value);
    }
}

/// `span` ended in an error, whatever else is said of it.
pub fn failed(span: &Span, description: &'static str) {
    if spans_are_exported() {
        span.set_status(Status::error(description));
    }
}

/// Whether the fields have the lengths that they must have: the SDK takes any. What later versions add comes after a dash.
fn is_whole(traceparent: &str) -> bool {
    let Some((fields, more)) = traceparent.as_bytes().split_at_checked(55) else {
        return false;
    };
    let is_right = |(at, byte): (usize, &u8)| match at {
        2 | 35 | 52 => *byte == b'-',
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    };
    fields.iter().enumerate().all(is_right) && more.first().is_none_or(|it| *it == b'-')
}

fn new_span() -> SpanId {
    SpanId::from(fastrand::u64(1..))
}

struct Headers<'a>([(&'static str, Option<&'a str>); 2]);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| *name == key)?.1
    }

    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| *name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn parse(traceparent: &str) -> Option<TraceContext> {
        TraceContext::parse(traceparent, None)
    }

    fn traceparent(context: &TraceContext) -> String {
        context.headers().next().unwrap().1
    }

    #[test]
    fn a_context_is_written_as_it_was_read() {
        let text = format!("00-{TRACE}-00f067aa0ba902b7-01");
        let context = TraceContext::parse(&text, Some("vendor=1")).unwrap();
        let written = [("traceparent", text), ("tracestate", "vendor=1".to_owned())];
        assert_eq!(context.headers().collect::<Vec<_>>(), written);
        assert_eq!(context.trace_id().to_string(), TRACE);
    }

    #[test]
    fn a_child_keeps_trace_flags_and_state_and_has_a_parent_of_its_own() {
        let text = format!("00-{TRACE}-00f067aa0ba902b7-01");
        let context = TraceContext::parse(&text, Some("vendor=1")).unwrap();
        let child = context.child();
        assert_eq!(child.trace_id(), context.trace_id());
        assert_ne!(child.parent_id(), context.parent_id());
        assert!(traceparent(&child).ends_with("-01"));
        assert_eq!(child.headers().nth(1), context.headers().nth(1));
    }

    #[test]
    fn what_is_no_trace_context_is_ignored() {
        let (parent, zero) = ("00f067aa0ba902b7", "0".repeat(32));
        for bad in [
            String::new(),
            TRACE.to_owned(),
            format!("ff-{TRACE}-{parent}-01"),
            format!("00-{zero}-{parent}-01"),
            format!("00-{TRACE}-0000000000000000-01"),
            format!("00-{}-{parent}-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-{parent}"),
            format!("00-{TRACE}-{parent}-01-more"),
            format!("00-{TRACE}0-{parent}-01"),
            format!("00-{TRACE}-{parent}-0g"),
            format!("00-6-{parent}-01"),
            format!("00-{TRACE}-f-01"),
            format!("00-+{}-{parent}-01", &TRACE[1..]),
            format!(" 00-{TRACE}-{parent}-01"),
        ] {
            assert_eq!(parse(&bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_tracestate_beyond_the_limit_is_not_passed_on() {
        let text = format!("00-{TRACE}-00f067aa0ba902b7-00");
        let state = |length: usize| {
            let state = format!("v={}", "x".repeat(length - 2));
            let context = TraceContext::parse(&text, Some(&state)).unwrap();
            context.headers().nth(1).map(|(_, state)| state.len())
        };
        assert_eq!([state(258), state(513)], [Some(258), None]);
        let with_a_tab = TraceContext::parse(&text, Some("v=a\tb")).unwrap();
        assert_eq!(Vec::from_iter(with_a_tab.headers()).len(), 1);
    }

    #[test]
    fn a_trace_that_begins_here_can_be_read_by_others() {
        let begun = TraceContext::begin();
        let read = parse(&traceparent(&begun)).unwrap();
        assert_eq!(traceparent(&read), traceparent(&begun));
    }
}
