//! Whom an operation is for: how a generated client is cut into parts.

use utoipa::openapi::path::Operation;
use utoipa::openapi::tag::{Tag, TagBuilder};

use super::Endpoint;

const TAGS: [(&str, &str); 6] = [
    ("work", "Have the work done"),
    ("naive", "The same with no policy at all, to compare"),
    ("requests", "What became of accepted work"),
    ("operators", "What is owed, in an operator's hands"),
    (
        "service",
        "The service itself, for those who run and watch it",
    ),
    ("page", "The dashboard"),
];

/// All of them, described.
pub(super) fn all() -> Vec<Tag> {
    let tag = |(name, what)| TagBuilder::new().name(name).description(Some(what)).build();
    TAGS.map(tag).to_vec()
}

/// The operation of `endpoint` under its tag.
pub(super) fn tagged(endpoint: &Endpoint) -> Operation {
    let mut operation = endpoint.operation.clone();
    operation.tags = Some(vec![tag_of(&operation, endpoint.path).to_owned()]);
    operation
}

fn tag_of(operation: &Operation, path: &str) -> &'static str {
    match path {
        "/process" => "work",
        "/naive/process" => "naive",
        "/" | "/events" => "page",
        path if path.starts_with("/assets") => "page",
        _ if operation.security.is_some() => "operators",
        path if path.starts_with("/requests") => "requests",
        _ => "service",
    }
}
