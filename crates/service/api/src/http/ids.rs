//! The two ids of an exchange: its request's, under which the table, the answer and the logs tell of it, and its trace's,
//! which other systems may know as well. A client's own id for it is logged and echoed, nothing more.

use actix_web::HttpMessage;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use holdfast_ops::{TraceContext, TraceId};
use tracing_actix_web::RequestId;
use uuid::Uuid;

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
pub(super) const TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");

/// A client's own id is not longer.
const MAX_LENGTH: usize = 128;

/// The ids of one exchange.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    pub(super) request: Uuid,
    pub(super) trace: TraceId,
    /// The client's own.
    pub(super) correlation: Option<HeaderValue>,
}

impl Ids {
    /// Those the logger chose, with the context they belong to.
    pub(super) fn of(request: &ServiceRequest) -> (Self, TraceContext) {
        let correlation = correlation(request.headers()).cloned();
        let extensions = request.extensions();
        let request = extensions.get::<RequestId>();
        let context = extensions.get::<TraceContext>().cloned();
        let context = context.unwrap_or_else(TraceContext::begin);
        let ids = Self {
            request: request.map_or_else(Uuid::now_v7, |id| **id),
            trace: context.trace_id(),
            correlation,
        };
        (ids, context)
    }

    /// Puts them into an answer's headers.
    pub(super) fn stamp(&self, headers: &mut HeaderMap) {
        let ids = [
            (REQUEST_ID, self.request.to_string()),
            (TRACE_ID, self.trace.to_string()),
        ];
        for (name, id) in ids {
            if let Ok(id) = HeaderValue::from_str(&id) {
                headers.insert(name, id);
            }
        }
        if let Some(id) = &self.correlation {
            headers.insert(CORRELATION_ID, id.clone());
        }
    }
}

/// What the client calls the exchange, in its `x-request-id`; what is none is ignored.
pub(super) fn correlation(headers: &HeaderMap) -> Option<&HeaderValue> {
    let id = headers.get(REQUEST_ID)?;
    let visible = id.as_bytes().iter().all(u8::is_ascii_graphic);
    (visible && (1..=MAX_LENGTH).contains(&id.len())).then_some(id)
}

/// The trace of the caller, if it tells one.
pub(super) fn caller(headers: &HeaderMap) -> Option<TraceContext> {
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
        let state = ("tracestate", "a=1,b=2".to_owned());
        assert!(caller(&headers).unwrap().headers().any(|it| it == state));
    }

    #[test]
    fn a_clients_own_id_is_up_to_128_visible_characters() {
        let own = |id: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_bytes(id.as_bytes()).unwrap());
            correlation(&headers).is_some()
        };
        assert!(own("order-17") && own(&"x".repeat(128)));
        assert!(!own("") && !own("two words") && !own("ü") && !own(&"x".repeat(129)));
    }

    #[test]
    fn two_parents_are_none() {
        let both = headers([("traceparent", PARENT), ("traceparent", PARENT)]);
        let one = headers([("traceparent", PARENT)]);
        assert!(caller(&both).is_none() && caller(&one).is_some());
    }
}
