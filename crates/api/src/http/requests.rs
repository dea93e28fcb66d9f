//! `/requests` and `/requests/{id}`: what became of accepted work.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use holdfast_wire::{Degraded, ProblemCode, RequestStatus};
use serde::Deserialize;
use uuid::Uuid;

use super::problem::{Failure, refused_for};
use crate::state::State;
use crate::store::Filter;

pub(super) const DEFAULT_LIMIT: u32 = 50;
pub(super) const MAX_LIMIT: u32 = 500;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    status: Option<RequestStatus>,
    limit: Option<u32>,
}

pub(super) async fn find(state: Data<State>, id: Path<String>) -> Result<HttpResponse, Failure> {
    let id: Uuid = id.parse().map_err(|error| {
        Failure::new(
            ProblemCode::InvalidId,
            format!("it must be a UUID: {error}"),
        )
    })?;
    let found = state.records.find(id).await.map_err(unavailable)?;
    let request = found.ok_or_else(|| {
        Failure::new(
            ProblemCode::RequestNotFound,
            "no request was accepted under this id",
        )
    })?;
    Ok(HttpResponse::Ok().json(request))
}

pub(super) async fn list(state: Data<State>, http: HttpRequest) -> Result<HttpResponse, Failure> {
    let filter = filter(http.query_string())?;
    let list = state.records.list(filter).await.map_err(unavailable)?;
    Ok(HttpResponse::Ok().json(list))
}

fn filter(query: &str) -> Result<Filter, Failure> {
    let invalid = |detail: String| Failure::new(ProblemCode::InvalidQuery, detail);
    let query =
        Query::<ListQuery>::from_query(query).map_err(|error| invalid(error.to_string()))?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(invalid(format!("limit must be 1 to {MAX_LIMIT}")));
    }
    Ok(Filter {
        status: query.status,
        limit,
    })
}

fn unavailable(missing: Degraded) -> Failure {
    let detail = "whether this request is known cannot be told: try again";
    Failure::unavailable(refused_for(missing.code), detail, vec![missing])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_names_a_status_and_a_limit_within_bounds() {
        let default = filter("").unwrap();
        assert_eq!(
            default,
            Filter {
                status: None,
                limit: 50
            }
        );
        let received = filter("status=received&limit=500").unwrap();
        assert_eq!(
            received,
            Filter {
                status: Some(RequestStatus::Received),
                limit: 500
            }
        );
        for bad in [
            "status=lost",
            "limit=0",
            "limit=501",
            "limit=-1",
            "limit=x",
            "offset=1",
        ] {
            assert!(filter(bad).is_err(), "{bad}");
        }
    }
}
