//! `/requests` and `/requests/{id}`: what became of accepted work.

use std::time::Duration;

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use holdfast_ops::Readiness;
use holdfast_wire::{Degraded, ProblemCode, Request, RequestOrder, RequestStatus};
use serde::Deserialize;
use serde::de::value::StrDeserializer;
use serde::de::{self, IntoDeserializer};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::prefer;
use super::problem::{Failure, refused_for};
use crate::ends::Ends;
use crate::records::Records;
use crate::store::Filter;

pub(super) const DEFAULT_LIMIT: u32 = 50;
pub(super) const MAX_LIMIT: u32 = 500;
/// Before a waiting client's request is looked for again; up to five times as long, so that a crowd spreads.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// What became of accepted work, and who waits for its end.
pub(crate) struct RequestRoutes {
    pub(crate) records: Records,
    pub(crate) ends: Ends,
    pub(crate) readiness: Readiness,
}

pub(super) async fn find(
    routes: Data<RequestRoutes>,
    id: Path<String>,
    http: HttpRequest,
) -> Result<HttpResponse, Failure> {
    let id = id_of(&id)?;
    let wait = prefer::wait(http.headers());
    let request = ended_or_not(&routes, id, wait.unwrap_or_default()).await?;
    let mut response = HttpResponse::Ok();
    if wait.is_some() {
        response.insert_header(("preference-applied", "wait"));
    }
    Ok(response.json(request))
}

/// The request with its end, or as it is when `wait` is over. Who waits has time to ask again where it cannot be told.
async fn ended_or_not(
    routes: &RequestRoutes,
    id: Uuid,
    wait: Duration,
) -> Result<Request, Failure> {
    let until = Instant::now() + wait;
    loop {
        // Before the look: an end that comes right after it is not missed.
        let waiter = (!wait.is_zero()).then(|| routes.ends.wait_for(id));
        let found = routes.records.find(id).await;
        let (now, ready) = (Instant::now(), routes.readiness.is_ready());
        let Some(waiter) = waiter.filter(|_| now < until && ready) else {
            return found.map_err(unavailable)?.ok_or_else(unknown);
        };
        let look_again = match found {
            Ok(Some(request)) if request.status.is_end() => return Ok(request),
            Ok(Some(_)) => until,
            Ok(None) => return Err(unknown()),
            Err(_) => until.min(now + FIRST_PAUSE + FIRST_PAUSE.mul_f64(fastrand::f64() * 4.0)),
        };
        if let Ok(Some(request)) = timeout_at(look_again, waiter.woken()).await {
            return Ok(request);
        }
    }
}

/// The id that stands in a path.
pub(super) fn id_of(text: &str) -> Result<Uuid, Failure> {
    let detail = |error| format!("it must be a UUID: {error}");
    text.parse()
        .map_err(|error| Failure::new(ProblemCode::InvalidId, detail(error)))
}

pub(super) fn unknown() -> Failure {
    let detail = "no request was accepted under this id";
    Failure::new(ProblemCode::RequestNotFound, detail)
}

pub(super) async fn list(
    routes: Data<RequestRoutes>,
    http: HttpRequest,
) -> Result<HttpResponse, Failure> {
    let filter = filter(http.query_string())?;
    let list = routes.records.list(filter).await.map_err(unavailable)?;
    Ok(HttpResponse::Ok().json(list))
}

fn filter(query: &str) -> Result<Filter, Failure> {
    let invalid = |detail: String| Failure::new(ProblemCode::InvalidQuery, detail);
    let pairs = Query::<Vec<(String, String)>>::from_query(query);
    let pairs = pairs.map_err(|error| invalid(error.to_string()))?;
    let (mut status, mut order, mut limit) = (None, None, None);
    for (name, value) in pairs.into_inner() {
        let twice = match name.as_str() {
            "status" => status
                .replace(status_of(&value).map_err(invalid)?)
                .is_some(),
            "order" => order.replace(order_of(&value).map_err(invalid)?).is_some(),
            "limit" => limit.replace(limit_of(&value).map_err(invalid)?).is_some(),
            _ => {
                return Err(invalid(format!(
                    "{name}: there is only status, order and limit"
                )));
            }
        };
        if twice {
            return Err(invalid(format!("{name}: it is given twice")));
        }
    }
    Ok(Filter {
        status,
        order: order.unwrap_or_default(),
        limit: limit.unwrap_or(DEFAULT_LIMIT),
    })
}

fn status_of(text: &str) -> Result<RequestStatus, String> {
    let text: StrDeserializer<'_, de::value::Error> = text.into_deserializer();
    RequestStatus::deserialize(text).map_err(|error| format!("status: {error}"))
}

fn order_of(text: &str) -> Result<RequestOrder, String> {
    let text: StrDeserializer<'_, de::value::Error> = text.into_deserializer();
    RequestOrder::deserialize(text).map_err(|error| format!("order: {error}"))
}

fn limit_of(text: &str) -> Result<u32, String> {
    let limit = text.parse().ok();
    limit
        .filter(|limit| (1..=MAX_LIMIT).contains(limit))
        .ok_or_else(|| format!("limit: {text:?} is not 1 to {MAX_LIMIT}"))
}

pub(super) fn unavailable(missing: Degraded) -> Failure {
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
                order: RequestOrder::Newest,
                limit: 50
            }
        );
        let received = filter("status=received&order=oldest&limit=500").unwrap();
        assert_eq!(
            received,
            Filter {
                status: Some(RequestStatus::Received),
                order: RequestOrder::Oldest,
                limit: 500
            }
        );
        for bad in [
            "status=lost",
            "status=%ff",
            "order=id",
            "limit=0",
            "limit=501",
            "limit=-1",
            "limit=x",
            "limit=1&limit=2",
            "offset=1",
        ] {
            let refusal = filter(bad).unwrap_err().to_string();
            let (name, _) = bad.split_once('=').unwrap();
            assert!(refusal.contains(&format!("{name}: ")), "{refusal}");
        }
    }
}
