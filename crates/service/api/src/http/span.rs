//! The span of an exchange: the ids under which all its log lines stand, and what a collector is told of it.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::{Error, HttpMessage};
use holdfast_ops::{TraceContext, describe, telemetry};
use tracing::Span;
use tracing::field::display;
use tracing_actix_web::{RequestId, RootSpanBuilder};

use super::ids;

/// One span per exchange.
pub(crate) struct RequestSpan;

impl RootSpanBuilder for RequestSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let id = request
            .extensions()
            .get::<RequestId>()
            .map(ToString::to_string);
        let caller = ids::caller(request.headers());
        let exported = telemetry::spans_are_exported();
        let context = caller
            .as_ref()
            .map_or_else(TraceContext::begin, TraceContext::child);
        // Where a span's own trace begins, it is not known yet.
        let known = caller.is_some() || !exported;
        let correlation_id = ids::correlation(request.headers()).and_then(|id| id.to_str().ok());
        let span = tracing::info_span!(
            "request",
            otel.name = exported.then(|| name(request)),
            otel.kind = exported.then_some("server"),
            request_id = id,
            trace_id = known.then(|| display(context.trace_id())),
            correlation_id,
            method = %request.method(),
            path = request.path()
        );
        let context = if exported {
            own(&span, caller.as_ref(), request).unwrap_or(context)
        } else {
            context
        };
        request.extensions_mut().insert(context);
        span
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, Error>) {
        let status = match outcome {
            Ok(response) => response.status(),
            Err(error) => error.as_response_error().status_code(),
        };
        describe(
            &span,
            "http.response.status_code",
            i64::from(status.as_u16()),
        );
        if status.is_server_error() {
            describe(&span, "error.type", status.as_str().to_owned());
            holdfast_ops::failed(&span, "");
        }
        tracing::debug!(status = status.as_u16(), "answered");
    }
}

/// The context of a span that is exported, with all that the collector is told at its start.
fn own(
    span: &Span,
    caller: Option<&TraceContext>,
    request: &ServiceRequest,
) -> Option<TraceContext> {
    if let Some(caller) = caller {
        caller.adopt(span);
    }
    let context = TraceContext::of(span)?;
    if caller.is_none() {
        span.record("trace_id", display(context.trace_id()));
    }
    describe(
        span,
        "http.request.method",
        method(request.method()).to_owned(),
    );
    describe(span, "url.path", request.path().to_owned());
    describe(span, "url.scheme", "http");
    if let Some(route) = request.match_pattern() {
        describe(span, "http.route", route);
    }
    Some(context)
}

/// The method and the route: few, whatever clients send.
fn name(request: &ServiceRequest) -> String {
    let method = match method(request.method()) {
        "_OTHER" => "HTTP",
        method => method,
    };
    match request.match_pattern() {
        Some(route) => format!("{method} {route}"),
        None => method.to_owned(),
    }
}

/// Those that there are; what a client makes up is one more.
fn method(method: &Method) -> &str {
    match *method {
        Method::GET
        | Method::HEAD
        | Method::POST
        | Method::PUT
        | Method::DELETE
        | Method::CONNECT
        | Method::OPTIONS
        | Method::TRACE
        | Method::PATCH => method.as_str(),
        _ => "_OTHER",
    }
}
