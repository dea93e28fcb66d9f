//! One function per operation: what it is for, what it takes, and every answer it has.

use holdfast_wire::{Health, ProblemCode as Code, RequestList, RequestStatus};
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::path::{Operation, OperationBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Ref, RefOr};

use super::answers::{bare, json as body, other, text, with};
use super::examples;
use super::parts::{any_json, id, operation, parameter, plain, responses};
use crate::http::requests::{DEFAULT_LIMIT, MAX_LIMIT};

/// What a call with an effect may be refused for, and its body.
const BODY: [Code; 5] = [
    Code::InvalidJson,
    Code::BodyTooLarge,
    Code::RequestTimeout,
    Code::UnsupportedEncoding,
    Code::CrossSite,
];
/// Why no promise could be made.
const REFUSED: [Code; 4] = [
    Code::WorkerUnavailable,
    Code::DbUnavailable,
    Code::Overloaded,
    Code::Draining,
];
const KEY_PATTERN: &str = r#"^([!#-\[\]-~]{1,255}|"([ !#-\[\]-~]|\\["\\]){1,255}")$"#;

pub(in crate::http) fn process() -> Operation {
    processing("process", "Have the work done, whatever is down").build()
}

pub(in crate::http) fn process_post() -> Operation {
    let summary = "Have the work done with a body, whatever is down";
    processing("process_post", summary)
        .request_body(Some(any_json()))
        .build()
}

fn processing(id: &str, summary: &str) -> OperationBuilder {
    let of_keys = [Code::InvalidKey, Code::RequestFailed, Code::KeyReused];
    let key = "One request per key: the same key again gets the same request's answer";
    let key = parameter(
        "Idempotency-Key",
        ParameterIn::Header,
        key,
        text().pattern(Some(KEY_PATTERN)),
        "order-4711",
    );
    let urgency = "How urgent it is, RFC 9218: `u=0` (most) to `u=7`; decides who is refused first";
    let urgency = parameter("Priority", ParameterIn::Header, urgency, text(), "u=5");
    let of_client = [Code::QuotaExceeded];
    let codes = [&BODY[..], &REFUSED, &of_keys, &of_client].concat();
    operation(id, summary)
        .parameter(key)
        .parameter(urgency)
        .description(Some(
            "Answered within `process.worst_case_seconds` of `GET /policies`, whatever its dependencies do.",
        ))
        .responses(processed(&codes))
}

fn processed(codes: &[Code]) -> utoipa::openapi::Responses {
    let done = body(
        "The work is done and its result is durable",
        &examples::done(),
    );
    let deferred = body(
        "Not done yet, but durably accepted: it will be",
        &examples::deferred(),
    );
    let replayed = |answer| with(answer, "Idempotent-Replayed");
    let deferred = replayed(with(with(deferred, "Location"), "Retry-After"));
    let done = replayed(done);
    responses([("200", done.build()), ("202", deferred.build())], codes)
}

pub(in crate::http) fn naive() -> Operation {
    naively("naive_process").build()
}

pub(in crate::http) fn naive_post() -> Operation {
    naively("naive_process_post")
        .request_body(Some(any_json()))
        .build()
}

fn naively(id: &str) -> OperationBuilder {
    let done = body(
        "The work is done",
        &[("everything works", examples::naive())],
    );
    let fell = bare(
        "It fell over with one of its dependencies, or closed the connection for want of room",
    );
    operation(
        id,
        "The same work with no policy at all: falls with its dependencies",
    )
    .description(Some("Where a dependency hangs, so does the call."))
    .responses(responses(
        [("200", done.build()), ("500", fell.build())],
        &BODY,
    ))
}

pub(in crate::http) fn list() -> Operation {
    let list = RequestList {
        total: 1,
        requests: vec![examples::request()],
    };
    let found = body("The first of them", &[("one is not done yet", list)]);
    let status = Ref::from_schema_name(RequestStatus::name());
    let order = text()
        .enum_values(Some(["newest", "oldest"]))
        .default(Some(json!("newest")));
    let limit = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(1))
        .maximum(Some(MAX_LIMIT))
        .default(Some(json!(DEFAULT_LIMIT)));
    let codes = [Code::InvalidQuery, Code::DbUnavailable, Code::Overloaded];
    operation("requests", "What became of accepted requests")
        .parameter(parameter(
            "status",
            ParameterIn::Query,
            "Only those that are this far",
            status,
            RequestStatus::Received.as_str(),
        ))
        .parameter(parameter(
            "order",
            ParameterIn::Query,
            "Which come first: those that came last, or those that have waited for longest",
            order,
            "oldest",
        ))
        .parameter(parameter(
            "limit",
            ParameterIn::Query,
            "How many to list",
            limit,
            10,
        ))
        .responses(responses([("200", found.build())], &codes))
        .build()
}

pub(in crate::http) fn find() -> Operation {
    let found = body("The request", &[("not done yet", examples::request())]);
    let found = with(found, "Preference-Applied");
    let codes = [Code::InvalidId, Code::RequestNotFound, Code::DbUnavailable];
    let wait = "`wait=N` holds the answer until the request is finished, N seconds at most, and no more than 30";
    operation("request", "What became of one request")
        .parameter(id())
        .parameter(parameter(
            "Prefer",
            ParameterIn::Header,
            wait,
            text(),
            "wait=1",
        ))
        .responses(responses([("200", found.build())], &codes))
        .build()
}

pub(in crate::http) fn policies() -> Operation {
    let found =
        body::<holdfast_wire::Policies>("Every key in force, and the bound that follows", &[]);
    plain("policies", "The failure policies", found.build())
}

pub(in crate::http) fn status() -> Operation {
    let found =
        body::<holdfast_wire::Status>("What it knows of itself, without asking anybody", &[]);
    plain(
        "status",
        "The service, its breakers, its journal and its backlog",
        found.build(),
    )
}

pub(in crate::http) fn livez() -> Operation {
    let alive = body("It is alive", &[("alive", Health::new("alive"))]);
    plain("livez", "Whether the process is alive", alive.build())
}

pub(in crate::http) fn readyz() -> Operation {
    let ready = body("Send it requests", &[("ready", Health::new("ready"))]);
    operation(
        "readyz",
        "Whether it takes requests: no dependency has a say in it",
    )
    .responses(responses([("200", ready.build())], &[Code::Draining]))
    .build()
}

pub(in crate::http) fn metrics() -> Operation {
    let exposition = other(
        "The Prometheus exposition",
        "text/plain; version=0.0.4",
        text(),
    );
    plain("metrics", "Metrics", exposition.build())
}

pub(in crate::http) fn openapi() -> Operation {
    let object = ObjectBuilder::new().schema_type(Type::Object);
    let document = other("An OpenAPI 3.1 document", "application/json", object);
    plain("openapi", "This document", document.build())
}

/// What a HEAD answers where `get` is what a GET does: the same without its body.
pub(in crate::http) fn head_of(get: &Operation) -> Operation {
    let mut head = get.clone();
    head.operation_id = get.operation_id.as_ref().map(|id| format!("{id}_head"));
    for answer in head.responses.responses.values_mut() {
        if let RefOr::T(answer) = answer {
            answer.content.clear();
        }
    }
    head
}
