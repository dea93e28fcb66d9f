//! Answers in the words of OpenAPI: bodies by their wire type, problems by their codes, headers by their names.

use std::collections::BTreeMap;

use holdfast_wire::ProblemCode;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::content::{Content, ContentBuilder};
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{KnownFormat, Ref, RefOr, Response, ResponseBuilder, Schema, SchemaFormat};

use super::super::problem::row;
use super::examples;

/// A header of answers.
pub(super) struct AnswerHeader {
    pub(super) name: &'static str,
    description: &'static str,
    schema: fn() -> Schema,
}

/// All headers that answers carry on purpose.
pub(super) const HEADERS: [AnswerHeader; 12] = [
    AnswerHeader {
        name: "x-request-id",
        description: "The id of this exchange: of the request in the table, and of its lines in the log",
        schema: || {
            text()
                .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
                .into()
        },
    },
    AnswerHeader {
        name: "x-trace-id",
        description: "The trace this exchange belongs to: the caller's, or one that began here",
        schema: || text().pattern(Some("^[0-9a-f]{32}$")).into(),
    },
    AnswerHeader {
        name: "Cache-Control",
        description: "Nothing here is worth keeping",
        schema: || text().enum_values(Some(["no-store"])).into(),
    },
    AnswerHeader {
        name: "x-correlation-id",
        description: "The caller's own `x-request-id`, if it sent one",
        schema: || text().pattern(Some("^[!-~]{1,128}$")).into(),
    },
    AnswerHeader {
        name: "Idempotent-Replayed",
        description: "The answer to an earlier call under the same key",
        schema: || text().enum_values(Some(["true"])).into(),
    },
    AnswerHeader {
        name: "Retry-After",
        description: "Whole seconds after which another call makes sense",
        schema: || {
            ObjectBuilder::new()
                .schema_type(Type::Integer)
                .minimum(Some(1))
                .into()
        },
    },
    AnswerHeader {
        name: "Preference-Applied",
        description: "The client's preference to wait was heard",
        schema: || text().enum_values(Some(["wait"])).into(),
    },
    AnswerHeader {
        name: "WWW-Authenticate",
        description: "How an operator shows the token",
        schema: || text().enum_values(Some(["Bearer"])).into(),
    },
    AnswerHeader {
        name: "Location",
        description: "Where to ask what became of the request",
        schema: || text().pattern(Some("^/requests/[0-9a-f-]{36}$")).into(),
    },
    AnswerHeader {
        name: "content-security-policy",
        description: "The page runs its own files and asks its own API, nothing else",
        schema: || text().into(),
    },
    AnswerHeader {
        name: "x-content-type-options",
        description: "A file is what it is said to be",
        schema: || text().enum_values(Some(["nosniff"])).into(),
    },
    AnswerHeader {
        name: "referrer-policy",
        description: "Nobody learns where the page stands",
        schema: || text().enum_values(Some(["no-referrer"])).into(),
    },
];

/// What each answer carries or may carry; these lead the list above.
const ALWAYS: usize = 4;

impl AnswerHeader {
    pub(super) fn describe(&self) -> Header {
        HeaderBuilder::new()
            .schema(Some((self.schema)()))
            .description(Some(self.description))
            .build()
    }
}

/// An answer without a body.
pub(super) fn bare(description: &str) -> ResponseBuilder {
    HEADERS[..ALWAYS].iter().fold(
        ResponseBuilder::new().description(description),
        |answer, header| with(answer, header.name),
    )
}

/// An answer with a body of type `T`, as in these examples.
pub(super) fn json<T: ToSchema + Serialize>(
    description: &str,
    examples: &[(&str, T)],
) -> ResponseBuilder {
    bare(description).content("application/json", content(examples))
}

/// An answer with a body that has no wire type.
pub(super) fn other(description: &str, kind: &str, schema: ObjectBuilder) -> ResponseBuilder {
    let content = ContentBuilder::new().schema(Some(Schema::from(schema)));
    bare(description).content(kind, content.build())
}

/// The answer of these codes, which share a status.
pub(super) fn problem(codes: &[ProblemCode]) -> Response {
    let titles: Vec<_> = codes.iter().map(|code| row(*code).1).collect();
    let examples: Vec<_> = codes
        .iter()
        .map(|code| (code.as_str(), examples::problem(*code)))
        .collect();
    let answer = bare(&titles.join("; ")).content("application/problem+json", content(&examples));
    match codes.first().map(|code| row(*code).0.as_u16()) {
        Some(503) => with(answer, "Retry-After"),
        Some(401) => with(answer, "WWW-Authenticate"),
        _ => answer,
    }
    .build()
}

/// The answers of these codes by status.
pub(super) fn problems(codes: &[ProblemCode]) -> Vec<(String, Response)> {
    let mut by_status: BTreeMap<u16, Vec<ProblemCode>> = BTreeMap::new();
    for code in codes {
        by_status
            .entry(row(*code).0.as_u16())
            .or_default()
            .push(*code);
    }
    by_status
        .into_iter()
        .map(|(status, codes)| (status.to_string(), problem(&codes)))
        .collect()
}

/// The answer with one more of the headers above.
pub(super) fn with(answer: ResponseBuilder, header: &str) -> ResponseBuilder {
    answer.header_ref(header, Ref::new(format!("#/components/headers/{header}")))
}

pub(super) fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn content<T: ToSchema + Serialize>(examples: &[(&str, T)]) -> Content {
    let examples = examples.iter().map(|(name, value)| (*name, example(value)));
    ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(T::name())))
        .examples_from_iter(examples)
        .build()
}

fn example(value: &impl Serialize) -> RefOr<Example> {
    let value = serde_json::to_value(value).unwrap_or(Value::Null);
    ExampleBuilder::new().value(Some(value)).build().into()
}
