//! What operations have in common: the parameters that all of them take, and how parameters, bodies and answers are put.

use holdfast_wire::ProblemCode as Code;
use serde_json::{Value, json};
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{
    Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType};
use utoipa::openapi::{KnownFormat, RefOr, Required, Response, Schema, SchemaFormat};

use super::answers::{problems, text};
use super::examples;

/// The id of a request in the path.
pub(super) fn id() -> Parameter {
    let id = text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)));
    let example = json!(examples::request().request_id);
    let id = parameter("id", ParameterIn::Path, "The request's id", id, example);
    ParameterBuilder::from(id).required(Required::True).build()
}

pub(super) fn plain(id: &str, summary: &str, answer: Response) -> Operation {
    operation(id, summary)
        .responses(responses([("200", answer)], &[]))
        .build()
}

pub(super) fn operation(id: &str, summary: &str) -> OperationBuilder {
    let ignored = "W3C trace context; what is none is ignored, and a new trace begins";
    OperationBuilder::new()
        .operation_id(Some(id))
        .summary(Some(summary))
        .parameter(parameter(
            "traceparent",
            ParameterIn::Header,
            ignored,
            text(),
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ))
        .parameter(parameter(
            "tracestate",
            ParameterIn::Header,
            "Goes with the trace, up to 512 bytes",
            text(),
            "vendor=opaque",
        ))
        .parameter(parameter(
            "x-request-id",
            ParameterIn::Header,
            "The caller's own id, up to 128 visible characters: logged, and echoed as `x-correlation-id`",
            text(),
            "checkout-42",
        ))
}

pub(super) fn responses<const N: usize>(
    answers: [(&str, Response); N],
    codes: &[Code],
) -> utoipa::openapi::Responses {
    let answers = answers.map(|(status, answer)| (status.to_owned(), answer));
    utoipa::openapi::ResponsesBuilder::new()
        .responses_from_iter(answers.into_iter().chain(problems(codes)))
        .build()
}

pub(super) fn parameter(
    name: &str,
    at: ParameterIn,
    description: &str,
    schema: impl Into<RefOr<Schema>>,
    example: impl Into<Value>,
) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(at)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(schema))
        .example(Some(example.into()))
        .build()
}

pub(super) fn any_json() -> RequestBody {
    let any = ObjectBuilder::new().schema_type(SchemaType::AnyValue);
    let content = ContentBuilder::new()
        .schema(Some(Schema::from(any)))
        .build();
    RequestBodyBuilder::new()
        .description(Some("Any JSON of at most 64 KiB; stored as received"))
        .required(Some(Required::False))
        .content("application/json", content)
        .build()
}
