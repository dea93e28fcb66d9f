//! Which path leads where. A known path with another method is a 405 that names the methods, all else a 404.
//!
//! One table: what is not in it is not served; what is in it stands in `/openapi.json` and has its metrics from the start.

use std::collections::BTreeMap;

use actix_web::web::{self, Data, ServiceConfig, get, post};
use actix_web::{FromRequest, Handler, Responder, Route};
use holdfast_wire::ProblemCode;
use utoipa::openapi::HttpMethod;
use utoipa::openapi::path::Operation;

use super::endpoint::{Endpoint, template};
use super::openapi::{
    Document, openapi, operations, operator_operations as operators, page_operations,
};
use super::problem::Failure;
use super::{dashboard, metrics, naive, operator, policies, probes, process, requests, status};
use crate::metrics::Expected;

/// The table.
pub(super) fn endpoints() -> Vec<Endpoint> {
    use {operations as describe, page_operations as page};
    let listed = [
        shows("/", dashboard::page, page::page()),
        shows("/assets/{path:.*}", dashboard::asset, page::asset()),
        shows("/events", dashboard::events, page::events()),
        works(
            "/process",
            process::process,
            [describe::process(), describe::process_post()],
        ),
        works(
            "/naive/process",
            naive::process,
            [describe::naive(), describe::naive_post()],
        ),
        shows("/requests", requests::list, describe::list()),
        shows("/requests/{id}", requests::find, describe::find()),
        shows("/policies", policies::policies, describe::policies()),
        shows("/status", status::status, describe::status()),
        shows("/livez", probes::livez, describe::livez()),
        shows("/readyz", probes::readyz, describe::readyz()),
        shows("/metrics", metrics::metrics, describe::metrics()),
        shows("/openapi.json", openapi, describe::openapi()),
    ];
    let listed = listed.into_iter().flatten();
    listed.chain(operated()).collect()
}

/// What only operators may.
fn operated() -> [Endpoint; 3] {
    [
        acts(
            "/requests/retry",
            operator::retry_all,
            operators::retry_all(),
        ),
        acts("/requests/{id}/retry", operator::retry, operators::retry()),
        acts(
            "/requests/{id}/cancel",
            operator::cancel,
            operators::cancel(),
        ),
    ]
}

fn acts<F, Args>(path: &'static str, handler: F, operation: Operation) -> Endpoint
where
    F: Handler<Args, Output: Responder + 'static>,
    Args: FromRequest + 'static,
{
    endpoint(path, HttpMethod::Post, post().to(handler), operation)
}

/// A path whose GET has no effect, so that it has a HEAD too.
fn shows<F, Args>(path: &'static str, handler: F, operation: Operation) -> [Endpoint; 2]
where
    F: Handler<Args, Output: Responder + 'static>,
    Args: FromRequest + 'static,
{
    let head = operations::head_of(&operation);
    [
        endpoint(path, HttpMethod::Get, get().to(handler.clone()), operation),
        endpoint(path, HttpMethod::Head, web::head().to(handler), head),
    ]
}

/// A path whose GET does the same work as its POST.
fn works<F, Args>(path: &'static str, handler: F, operations: [Operation; 2]) -> [Endpoint; 2]
where
    F: Handler<Args, Output: Responder + 'static>,
    Args: FromRequest + 'static,
{
    let [of_get, of_post] = operations;
    [
        endpoint(path, HttpMethod::Get, get().to(handler.clone()), of_get),
        endpoint(path, HttpMethod::Post, post().to(handler), of_post),
    ]
}

fn endpoint(
    path: &'static str,
    method: HttpMethod,
    route: Route,
    operation: Operation,
) -> Endpoint {
    Endpoint {
        path,
        method,
        operation,
        route,
    }
}

/// What the metrics may expect: the answers that are described.
pub(crate) fn expected() -> Vec<Expected> {
    let expected = |it: Endpoint| {
        let statuses = it.operation.responses.responses.keys();
        Expected {
            route: it.path,
            method: name(&it.method),
            statuses: statuses.filter_map(|it| it.parse().ok()).collect(),
        }
    };
    endpoints().into_iter().map(expected).collect()
}

/// Registers every route.
pub(crate) fn routes(config: &mut ServiceConfig) {
    let endpoints = endpoints();
    config.app_data(Data::new(Document::of(&endpoints)));
    let mut by_path: BTreeMap<&'static str, Vec<Endpoint>> = BTreeMap::new();
    for endpoint in endpoints {
        by_path.entry(endpoint.path).or_default().push(endpoint);
    }
    let paths: Vec<_> = by_path.keys().map(|path| template(path)).collect();
    let known = format!("the routes are {}", paths.join(", "));
    for (path, endpoints) in by_path {
        resource(config, path, endpoints);
    }
    config.default_service(web::to(move || {
        refuse(Failure::new(ProblemCode::NotFound, known.clone()))
    }));
}

fn resource(config: &mut ServiceConfig, path: &str, endpoints: Vec<Endpoint>) {
    let methods: Vec<_> = endpoints.iter().map(|it| name(&it.method)).collect();
    let allow = methods.join(", ");
    let refuse = move || refuse(Failure::method_not_allowed(&allow));
    let resource = web::resource(path).default_service(web::to(refuse));
    config.service(endpoints.into_iter().fold(resource, |resource, endpoint| {
        resource.route(endpoint.route)
    }));
}

fn name(method: &HttpMethod) -> &'static str {
    match method {
        HttpMethod::Post => "POST",
        HttpMethod::Head => "HEAD",
        _ => "GET",
    }
}

async fn refuse(failure: Failure) -> Result<String, Failure> {
    Err(failure)
}
