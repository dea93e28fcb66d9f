//! What only an operator may: `/requests/{id}/retry`, `/requests/{id}/cancel`, `/requests/retry`.

use actix_web::http::header::AUTHORIZATION;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use holdfast_wire::{ProblemCode, Request, RequestStatus, Requeued};

use super::problem::{Failure, refused_for};
use super::requests::id_of;
use crate::config::AdminToken;
use crate::operator::{Operator, Unchanged};

/// An operator's hands, and how an operator is known.
pub(crate) struct OperatorRoutes {
    pub(crate) operator: Operator,
    /// `None`: nobody is one.
    pub(crate) admin_token: Option<AdminToken>,
}

impl OperatorRoutes {
    fn authorize(&self, http: &HttpRequest) -> Result<(), Failure> {
        let Some(token) = &self.admin_token else {
            let detail = "HOLDFAST_ADMIN_TOKEN is not set: set it where the API is started, and send it as a bearer token";
            return Err(Failure::new(ProblemCode::OperatorsDisabled, detail));
        };
        let mut given = http.headers().get_all(AUTHORIZATION);
        // Of several, some other server on the way may have looked at another.
        let given = match (given.next(), given.next()) {
            (Some(one), None) => one.to_str().ok(),
            _ => None,
        };
        match given.and_then(|value| value.split_once(' ')) {
            Some((scheme, given))
                if scheme.eq_ignore_ascii_case("bearer")
                    // As many spaces as the client likes, RFC 9110 says.
                    && token.is(given.trim_start_matches(' ')) =>
            {
                Ok(())
            }
            _ => {
                let detail = "send Authorization: Bearer and the service's HOLDFAST_ADMIN_TOKEN";
                Err(Failure::new(ProblemCode::Unauthorized, detail))
            }
        }
    }
}

pub(super) async fn retry(
    routes: Data<OperatorRoutes>,
    id: Path<String>,
    http: HttpRequest,
) -> Result<HttpResponse, Failure> {
    routes.authorize(&http)?;
    let changed = routes.operator.retry(id_of(&id)?).await;
    answer(changed, ProblemCode::NotFailed)
}

pub(super) async fn cancel(
    routes: Data<OperatorRoutes>,
    id: Path<String>,
    http: HttpRequest,
) -> Result<HttpResponse, Failure> {
    routes.authorize(&http)?;
    let changed = routes.operator.cancel(id_of(&id)?).await;
    answer(changed, ProblemCode::AlreadyFinished)
}

pub(super) async fn retry_all(
    routes: Data<OperatorRoutes>,
    http: HttpRequest,
) -> Result<HttpResponse, Failure> {
    routes.authorize(&http)?;
    all_failed(http.query_string())?;
    let count = routes.operator.retry_all().await.map_err(|missing| {
        let detail = "whether it was ordered cannot be told: to order it again does no harm";
        Failure::unavailable(refused_for(missing.code), detail, vec![missing])
    })?;
    Ok(HttpResponse::Accepted().json(Requeued {
        count,
        per_second: routes.operator.per_second(),
    }))
}

/// Named, although there is no choice: nobody brings back thousands by leaving something out.
fn all_failed(query: &str) -> Result<(), Failure> {
    let pairs = Query::<Vec<(String, String)>>::from_query(query);
    let pairs = pairs.map(Query::into_inner).unwrap_or_default();
    match &pairs[..] {
        [(name, value)] if name == "status" && value == RequestStatus::Failed.as_str() => Ok(()),
        _ => {
            let detail = "status: say status=failed, and no more";
            Err(Failure::new(ProblemCode::InvalidQuery, detail))
        }
    }
}

fn answer(
    changed: Result<Request, Unchanged>,
    conflict: ProblemCode,
) -> Result<HttpResponse, Failure> {
    match changed {
        Ok(request) => Ok(HttpResponse::Ok().json(request)),
        Err(Unchanged::Refused(why)) => Err(Failure::new(conflict, why)),
        Err(Unchanged::Absent) => Err(super::requests::unknown()),
        Err(Unchanged::Unknown(missing)) => Err(super::requests::unavailable(missing)),
    }
}
