//! `/openapi.json`: the contract in the words of OpenAPI 3.1, generated from what runs.
//!
//! The operations come from the route table itself, so no route is without one; schemas come from the wire types,
//! statuses and titles of problems from the one table of problems, examples from values of those types.

mod answers;
mod examples;
pub(super) mod operations;
pub(super) mod operator_operations;
pub(super) mod page_operations;
mod parts;
mod policy_tables;
mod tags;

use actix_web::HttpResponse;
use actix_web::web::Data;
use holdfast_wire::{
    Health, Live, NaiveProcessed, Policies, Problem, ProblemCode, Processed, Request, RequestList,
    Requeued, Status, Transition,
};
use utoipa::ToSchema;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::server::Server;
use utoipa::openapi::{
    Components, ComponentsBuilder, InfoBuilder, License, OpenApi, Paths, RefOr, Schema,
};

use super::endpoint::{Endpoint, template};

/// The document, rendered. One per HTTP thread.
pub(super) struct Document(String);

impl Document {
    pub(super) fn of(endpoints: &[Endpoint]) -> Self {
        Self(document(endpoints).to_json().unwrap_or_default())
    }
}

pub(super) async fn openapi(document: Data<Document>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(document.0.clone())
}

fn document(endpoints: &[Endpoint]) -> OpenApi {
    let mut paths = Paths::new();
    for endpoint in endpoints {
        let methods = vec![endpoint.method.clone()];
        let operation = tags::tagged(endpoint);
        paths.add_path_operation(template(endpoint.path), methods, operation);
    }
    let mut license = License::new("MIT OR Apache-2.0");
    license.identifier = Some("MIT OR Apache-2.0".to_owned());
    let info = InfoBuilder::new()
        .title("Holdfast")
        .version(env!("CARGO_PKG_VERSION"))
        .license(Some(license))
        .description(Some(
            "200: the work is done and its result is durable. 202: not done yet, but durably accepted: it will be. \
             503: no promise was made; try again with the same Idempotency-Key.",
        ))
        .build();
    let mut document = OpenApi::new(info, paths);
    document.components = Some(components());
    document.tags = Some(tags::all());
    // Wherever the document was had from.
    document.servers = Some(vec![Server::new("/")]);
    document
}

/// What operations refer to, and the problems of no operation in particular.
fn components() -> Components {
    let everywhere = [
        ("Unreadable", ProblemCode::InvalidRequest),
        ("NotFound", ProblemCode::NotFound),
        ("MethodNotAllowed", ProblemCode::MethodNotAllowed),
        ("Misdirected", ProblemCode::MisdirectedRequest),
        ("Defect", ProblemCode::Internal),
    ];
    let responses = everywhere.map(|(name, code)| (name, answers::problem(&[code])));
    let mut schemas = Vec::new();
    add::<Processed>(&mut schemas);
    add::<NaiveProcessed>(&mut schemas);
    add::<Problem>(&mut schemas);
    add::<Request>(&mut schemas);
    add::<RequestList>(&mut schemas);
    add::<Requeued>(&mut schemas);
    add::<Policies>(&mut schemas);
    add::<Status>(&mut schemas);
    add::<Health>(&mut schemas);
    add::<Live>(&mut schemas);
    add::<Transition>(&mut schemas);
    policy_tables::complete(&mut schemas);
    schemas.push(policy_tables::schema());
    let components = ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .responses_from_iter(responses);
    answers::HEADERS
        .iter()
        .fold(components, |components, header| {
            components.header(header.name, header.describe())
        })
        .security_scheme(
            operator_operations::TOKEN,
            SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)),
        )
        .build()
}

/// The type's schema, and those it refers to.
fn add<T: ToSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::problem::row;
    use super::super::routes::endpoints;
    use super::*;

    fn rendered() -> Value {
        serde_json::from_str(&Document::of(&endpoints()).0).unwrap()
    }

    /// Every object in `value` that has `member`.
    fn with_member<'a>(value: &'a Value, member: &str, found: &mut Vec<&'a Value>) {
        if value.get(member).is_some() {
            found.push(value);
        }
        let inner: Vec<&Value> = match value {
            Value::Object(members) => members.values().collect(),
            Value::Array(items) => items.iter().collect(),
            _ => Vec::new(),
        };
        inner
            .into_iter()
            .for_each(|it| with_member(it, member, found));
    }

    #[test]
    fn every_problem_code_has_an_example_under_its_status() {
        let document = rendered();
        let mut problems = Vec::new();
        with_member(&document, "degraded", &mut problems);
        with_member(&document, "title", &mut problems);
        for code in ProblemCode::ALL {
            let (status, title) = row(*code);
            assert!(
                problems.iter().any(|it| it["code"] == code.as_str()
                    && it["status"] == status.as_u16()
                    && it["title"] == title),
                "{code}"
            );
        }
        let schema = &document["components"]["schemas"]["ProblemCode"]["enum"];
        let listed: Vec<_> = schema
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it.as_str().unwrap())
            .collect();
        assert_eq!(
            listed,
            ProblemCode::ALL
                .iter()
                .map(|it| it.as_str())
                .collect::<Vec<_>>()
        );
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = rendered();
        let mut references = Vec::new();
        with_member(&document, "$ref", &mut references);
        assert!(!references.is_empty());
        for reference in references {
            let target = reference["$ref"].as_str().unwrap();
            assert!(document.pointer(&target[1..]).is_some(), "{target}");
        }
    }

    #[test]
    fn every_answer_is_said_to_carry_the_ids_of_its_exchange() {
        let document = rendered();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                for (status, response) in operation["responses"].as_object().unwrap() {
                    for header in ["x-request-id", "x-trace-id", "Cache-Control"] {
                        let said = response["headers"].get(header);
                        assert!(said.is_some(), "{method} {path} {status}: {header}");
                    }
                }
            }
        }
    }
}
