//! `traceparent` and `tracestate`, a line each: what is understood is passed on as it came, what is not begins a new trace.

#![no_main]

use holdfast_ops::TraceContext;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (parent, state) = text.split_once('\n').unwrap_or((text, ""));
    let Some(context) = TraceContext::parse(parent, Some(state)) else {
        return;
    };
    let child = context.child();
    assert_eq!(child.trace_id(), context.trace_id());
    for carried in [context.headers(), child.headers()].map(Vec::from_iter) {
        let value = |name| {
            let mut headers = carried.iter();
            headers
                .find(|(it, _)| *it == name)
                .map(|(_, value)| value.as_str())
        };
        let parent = value("traceparent").expect("a context without its parent");
        let read = TraceContext::parse(parent, value("tracestate"));
        let read = read.expect("what is passed on cannot be read");
        assert_eq!(Vec::from_iter(read.headers()), carried);
        let is_header = |text: &str| text.bytes().all(|it| (32..127).contains(&it));
        assert!(
            carried.iter().all(|(_, value)| is_header(value)),
            "{carried:?}"
        );
    }
});
