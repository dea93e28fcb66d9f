//! One line of the route table.

use actix_web::Route;
use utoipa::openapi::HttpMethod;
use utoipa::openapi::path::Operation;

/// A method of a path: who answers, and what can be said of it.
pub(super) struct Endpoint {
    pub(super) path: &'static str,
    pub(super) method: HttpMethod,
    pub(super) operation: Operation,
    pub(super) route: Route,
}

/// The path without what actix has to know of its parameters.
pub(super) fn template(path: &str) -> String {
    path.replace(":.*}", "}")
}
