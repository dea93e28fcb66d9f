//! Which path leads where. A known path with another method is a 405 that names the methods, all else a 404.
//!
//! One table: what is not in it is not served; what is in it stands in `/openapi.json` and has its metrics from the start.

use std::collections::BTreeMap;

use actix_web::Route;
use actix_web::web::{self, Data, ServiceConfig, get, post};
use holdfast_wire::ProblemCode;
use utoipa::openapi::HttpMethod;
use utoipa::openapi::path::Operation;

use super::openapi::{Document, openapi, operations, page_operations};
use super::problem::Failure;
use super::{dashboard, metrics, naive, policies, probes, process, requests, status};
use crate::metrics::Expected;

/// A method of a path: who answers, and what can be said of it.
pub(super) struct Endpoint {
    pub(super) path: &'static str,
    pub(super) method: HttpMethod,
    pub(super) operation: Operation,
    route: Route,
}

/// The table.
pub(super) fn endpoints() -> Vec<Endpoint> {
    use {operations as describe, page_operations as page};
    vec![
        reads("/", get().to(dashboard::page), page::page()),
        reads(
            "/assets/{path:.*}",
            get().to(dashboard::asset),
            page::asset(),
        ),
        reads("/events", get().to(dashboard::events), page::events()),
        reads("/process", get().to(process::process), describe::process()),
        takes(
            "/process",
            post().to(process::process),
            describe::process_post(),
        ),
        reads(
            "/naive/process",
            get().to(naive::process),
            describe::naive(),
        ),
        takes(
            "/naive/process",
            post().to(naive::process),
            describe::naive_post(),
        ),
        reads("/requests", get().to(requests::list), describe::list()),
        reads("/requests/{id}", get().to(requests::find), describe::find()),
        reads(
            "/policies",
            get().to(policies::policies),
            describe::policies(),
        ),
        reads("/status", get().to(status::status), describe::status()),
        reads("/livez", get().to(probes::livez), describe::livez()),
        reads("/readyz", get().to(probes::readyz), describe::readyz()),
        reads("/metrics", get().to(metrics::metrics), describe::metrics()),
        reads("/openapi.json", get().to(openapi), describe::openapi()),
    ]
}

fn reads(path: &'static str, route: Route, operation: Operation) -> Endpoint {
    Endpoint {
        path,
        method: HttpMethod::Get,
        operation,
        route,
    }
}

fn takes(path: &'static str, route: Route, operation: Operation) -> Endpoint {
    Endpoint {
        path,
        method: HttpMethod::Post,
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

/// The path without what actix has to know of its parameters.
pub(super) fn template(path: &str) -> String {
    path.replace(":.*}", "}")
}

fn name(method: &HttpMethod) -> &'static str {
    match method {
        HttpMethod::Post => "POST",
        _ => "GET",
    }
}

async fn refuse(failure: Failure) -> Result<String, Failure> {
    Err(failure)
}
