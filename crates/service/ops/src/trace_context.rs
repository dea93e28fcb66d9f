//! W3C trace context: which trace a call belongs to, and whose child it is.
//!
//! Pure: text in, text out. Nothing here samples or exports; the ids tie the log lines of services together.

use std::fmt;

/// The longest `tracestate` that is passed on, in bytes.
const LONGEST_STATE: usize = 512;

/// The id of a trace, not zero; written as 32 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceId(u128);

/// What a call carries: its trace, its caller's span, and what other systems say about the trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: TraceId,
    parent_id: u64,
    flags: u8,
    state: Option<String>,
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl TraceContext {
    /// A trace that begins here, not sampled.
    #[must_use]
    pub fn begin() -> Self {
        Self {
            trace_id: TraceId(fastrand::u128(1..)),
            parent_id: fastrand::u64(1..),
            flags: 0,
            state: None,
        }
    }

    /// Reads the headers `traceparent` and `tracestate`. `None` unless the first is of version 00, in lower-case hex, of
    /// exact length and with ids other than zero: the caller's trace is not known then. A `tracestate` that is too long is
    /// left out.
    #[must_use]
    pub fn parse(traceparent: &str, tracestate: Option<&str>) -> Option<Self> {
        let mut parts = traceparent.split('-');
        let (version, trace, parent, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        if version != "00" || parts.next().is_some() {
            return None;
        }
        let trace_id = hex(trace, 32).filter(|id| *id != 0)?;
        let parent_id = hex(parent, 16).filter(|id| *id != 0)?;
        let flags = hex(flags, 2)?;
        Some(Self {
            trace_id: TraceId(trace_id),
            parent_id: u64::try_from(parent_id).ok()?,
            flags: u8::try_from(flags).ok()?,
            state: tracestate
                .filter(|state| !state.is_empty() && state.len() <= LONGEST_STATE)
                .map(str::to_owned),
        })
    }

    /// The trace.
    #[must_use]
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// The same trace for a call made on behalf of this one: the parent is a new span.
    #[must_use]
    pub fn child(&self) -> Self {
        Self {
            parent_id: fastrand::u64(1..),
            ..self.clone()
        }
    }

    /// The span that calls, as 16 hex digits.
    #[must_use]
    pub fn parent_id(&self) -> String {
        format!("{:016x}", self.parent_id)
    }

    /// The header `traceparent`.
    #[must_use]
    pub fn traceparent(&self) -> String {
        format!(
            "00-{}-{:016x}-{:02x}",
            self.trace_id, self.parent_id, self.flags
        )
    }

    /// The header `tracestate`, as received.
    #[must_use]
    pub fn tracestate(&self) -> Option<&str> {
        self.state.as_deref()
    }
}

fn hex(text: &str, digits: usize) -> Option<u128> {
    let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let fits = text.len() == digits && text.bytes().all(lower);
    fits.then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn parse(traceparent: &str) -> Option<TraceContext> {
        TraceContext::parse(traceparent, None)
    }

    #[test]
    fn a_context_is_written_as_it_was_read() {
        let text = format!("00-{TRACE}-00f067aa0ba902b7-01");
        let context = TraceContext::parse(&text, Some("vendor=1")).unwrap();
        assert_eq!(context.traceparent(), text);
        assert_eq!(context.trace_id().to_string(), TRACE);
        assert_eq!(context.tracestate(), Some("vendor=1"));
    }

    #[test]
    fn a_child_keeps_trace_flags_and_state_and_has_a_parent_of_its_own() {
        let text = format!("00-{TRACE}-00f067aa0ba902b7-01");
        let context = TraceContext::parse(&text, Some("vendor=1")).unwrap();
        let child = context.child();
        assert_eq!(child.trace_id(), context.trace_id());
        assert_ne!(child.parent_id(), context.parent_id());
        assert!(child.traceparent().ends_with("-01"));
        assert_eq!(child.tracestate(), context.tracestate());
    }

    #[test]
    fn what_is_no_trace_context_is_ignored() {
        let (parent, zero) = ("00f067aa0ba902b7", "0".repeat(32));
        for bad in [
            String::new(),
            TRACE.to_owned(),
            format!("01-{TRACE}-{parent}-01"),
            format!("ff-{TRACE}-{parent}-01"),
            format!("00-{zero}-{parent}-01"),
            format!("00-{TRACE}-0000000000000000-01"),
            format!("00-{}-{parent}-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-{parent}"),
            format!("00-{TRACE}-{parent}-1"),
            format!("00-{TRACE}-{parent}-01-more"),
            format!("00-{TRACE}0-{parent}-01"),
            format!("00-+{}-{parent}-01", &TRACE[1..]),
            format!("00-{TRACE}-{parent}-0g"),
            format!(" 00-{TRACE}-{parent}-01"),
        ] {
            assert_eq!(parse(&bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_tracestate_beyond_the_limit_is_not_passed_on() {
        let text = format!("00-{TRACE}-00f067aa0ba902b7-00");
        let state = |length| {
            let context = TraceContext::parse(&text, Some(&"x".repeat(length))).unwrap();
            context.tracestate().map(str::len)
        };
        assert_eq!([state(0), state(512), state(513)], [None, Some(512), None]);
    }

    #[test]
    fn a_trace_that_begins_here_can_be_read_by_others() {
        let begun = TraceContext::begin();
        assert_eq!(parse(&begun.traceparent()), Some(begun));
    }
}
