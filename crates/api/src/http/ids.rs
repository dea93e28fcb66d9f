//! The two ids of an exchange: its request's, under which the table, the answer and the logs tell of it, and its trace's,
//! which other systems may know as well.

use actix_web::HttpMessage;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use holdfast_ops::{TraceContext, TraceId};
use tracing_actix_web::RequestId;
use uuid::Uuid;

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub(super) const TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");

/// The ids of one exchange.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ids {
    pub(super) request: Uuid,
    pub(super) trace: TraceId,
}

impl Ids {
    /// Those the logger chose, with the context they belong to.
    pub(super) fn of(request: &ServiceRequest) -> (Self, TraceContext) {
        let extensions = request.extensions();
        let request = extensions.get::<RequestId>();
        let context = extensions.get::<TraceContext>().cloned();
        let context = context.unwrap_or_else(TraceContext::begin);
        let ids = Self {
            request: request.map_or_else(Uuid::now_v7, |id| **id),
            trace: context.trace_id(),
        };
        (ids, context)
    }

    /// Puts them into an answer's headers.
    pub(super) fn stamp(self, headers: &mut HeaderMap) {
        let ids = [
            (REQUEST_ID, self.request.to_string()),
            (TRACE_ID, self.trace.to_string()),
        ];
        for (name, id) in ids {
            if let Ok(id) = HeaderValue::from_str(&id) {
                headers.insert(name, id);
            }
        }
    }
}

/// The context in which a request is handled: a child of its caller's, or the beginning of a trace.
pub(super) fn context(headers: &HeaderMap) -> TraceContext {
    callers(headers).map_or_else(TraceContext::begin, |caller| caller.child())
}

fn callers(headers: &HeaderMap) -> Option<TraceContext> {
    let mut parents = headers.get_all("traceparent");
    let parent = parents.next()?.to_str().ok()?;
    if parents.next().is_some() {
        return None;
    }
    // A list that may come in several headers.
    let states: Option<Vec<&str>> = headers
        .get_all("tracestate")
        .map(|state| state.to_str().ok())
        .collect();
    TraceContext::parse(parent, Some(&states.unwrap_or_default().join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn headers<const N: usize>(pairs: [(&'static str, &'static str); N]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let name = HeaderName::from_static(name);
            headers.append(name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn a_trace_state_in_several_headers_is_one_list() {
        let headers = headers([
            ("traceparent", PARENT),
            ("tracestate", "a=1"),
            ("tracestate", "b=2"),
        ]);
        assert_eq!(context(&headers).tracestate(), Some("a=1,b=2"));
    }

    #[test]
    fn two_parents_are_none() {
        let both = headers([("traceparent", PARENT), ("traceparent", PARENT)]);
        let one = headers([("traceparent", PARENT)]);
        assert_ne!(context(&both).trace_id(), context(&one).trace_id());
    }
}
