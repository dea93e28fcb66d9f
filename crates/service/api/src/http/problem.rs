//! The one table from code to status and title, and the problem body made of it.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use holdfast_wire::{Degraded, DegradedCode, Problem, ProblemCode, Reason};
use uuid::Uuid;

use super::ids::Ids;
use crate::rate_limit::RemainingQuota;

/// The row of a code: its HTTP status and its title.
pub(super) const fn row(code: ProblemCode) -> (StatusCode, &'static str) {
    use ProblemCode as P;
    use StatusCode as S;
    match code {
        P::WorkerUnavailable => (S::SERVICE_UNAVAILABLE, "The worker is unavailable"),
        P::DbUnavailable => (S::SERVICE_UNAVAILABLE, "The database is unavailable"),
        P::Overloaded => (S::SERVICE_UNAVAILABLE, "Too much work at once"),
        P::Draining => (S::SERVICE_UNAVAILABLE, "The service is about to stop"),
        P::QuotaExceeded => (S::TOO_MANY_REQUESTS, "The client has used up its share"),
        P::InvalidRequest => (S::BAD_REQUEST, "The request cannot be read"),
        P::InvalidJson => (S::BAD_REQUEST, "The body is not valid JSON"),
        P::InvalidId => (S::BAD_REQUEST, "The request id is not valid"),
        P::InvalidQuery => (S::BAD_REQUEST, "The query is not valid"),
        P::InvalidKey => (S::BAD_REQUEST, "The Idempotency-Key is not valid"),
        P::Unauthorized => (S::UNAUTHORIZED, "The operator's token is missing or wrong"),
        P::OperatorsDisabled => (S::FORBIDDEN, "The operator's routes are switched off"),
        P::NotFailed => (S::CONFLICT, "The request has not failed"),
        P::AlreadyFinished => (S::CONFLICT, "The request is finished already"),
        P::RequestFailed => (S::CONFLICT, "The request has failed"),
        P::KeyReused => (
            S::UNPROCESSABLE_ENTITY,
            "The Idempotency-Key was used with another body",
        ),
        P::CrossSite => (S::FORBIDDEN, "The request comes from another site"),
        P::MisdirectedRequest => (
            S::MISDIRECTED_REQUEST,
            "The service does not answer under this Host",
        ),
        P::UnsupportedEncoding => (
            S::UNSUPPORTED_MEDIA_TYPE,
            "The body's Content-Encoding is not taken",
        ),
        P::RequestNotFound => (S::NOT_FOUND, "No such request"),
        P::NotFound => (S::NOT_FOUND, "No such route"),
        P::MethodNotAllowed => (S::METHOD_NOT_ALLOWED, "The route does not take this method"),
        P::RequestTimeout => (S::REQUEST_TIMEOUT, "The body did not arrive in time"),
        P::BodyTooLarge => (S::PAYLOAD_TOO_LARGE, "The body is too large"),
        P::Internal => (S::INTERNAL_SERVER_ERROR, "A defect of the service"),
    }
}

/// An error on its way out. Handlers return it; the envelope gives it the ids of the exchange.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    code: ProblemCode,
    detail: String,
    degraded: Option<Vec<Degraded>>,
    allow: Option<String>,
    /// What is left of the client's quota, where there is a limit.
    quota: Option<Box<RemainingQuota>>,
    /// Boxed: every handler's result has room for a failure.
    ids: Option<Box<Ids>>,
}

impl Failure {
    pub(crate) fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self {
            code,
            detail,
            degraded: None,
            allow: None,
            quota: None,
            ids: None,
        }
    }

    /// A 503 that lists what was missing.
    pub(crate) fn unavailable(
        code: ProblemCode,
        detail: impl Into<String>,
        degraded: Vec<Degraded>,
    ) -> Self {
        Self {
            degraded: Some(degraded),
            ..Self::new(code, detail)
        }
    }

    /// A 503 because of `what` there is too much of; nothing was done. Another call makes sense in so many seconds.
    pub(crate) fn overloaded(what: &str, help: &str, retry_after_seconds: f64) -> Self {
        let missing = Degraded {
            code: DegradedCode::Overloaded,
            reason: Reason::BulkheadFull,
            detail: what.to_owned(),
            attempts: 0,
            elapsed_seconds: 0.0,
            retry_after_seconds,
        };
        Self::unavailable(ProblemCode::Overloaded, help, vec![missing])
    }

    pub(crate) fn method_not_allowed(allow: &str) -> Self {
        let detail = format!("this route takes {allow}");
        Self {
            allow: Some(allow.to_owned()),
            ..Self::new(ProblemCode::MethodNotAllowed, detail)
        }
    }

    /// A 429: the client comes back when it has a quota again.
    pub(super) fn quota_exceeded(quota: &RemainingQuota) -> Self {
        let seconds = quota.seconds();
        let detail = format!("nothing was recorded: try again in {seconds} s");
        Self::new(ProblemCode::QuotaExceeded, detail)
    }

    pub(super) fn of_client(self, quota: RemainingQuota) -> Self {
        let quota = Some(Box::new(quota));
        Self { quota, ..self }
    }

    pub(super) fn of_exchange(self, ids: Ids) -> Self {
        Self {
            ids: Some(Box::new(ids)),
            ..self
        }
    }

    fn problem(&self, status: StatusCode, title: &str) -> Problem {
        Problem {
            kind: Problem::kind_of(self.code),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: self.detail.clone(),
            code: self.code,
            request_id: self.ids.as_ref().map_or(Uuid::nil(), |ids| ids.request),
            degraded: self.degraded.clone(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        row(self.code).0
    }

    fn error_response(&self) -> HttpResponse {
        let (status, title) = row(self.code);
        let mut response = HttpResponse::build(status);
        response.insert_header((CACHE_CONTROL, "no-store"));
        if let Some(allow) = self.allow.as_deref() {
            response.insert_header((ALLOW, allow));
        }
        if status == StatusCode::UNAUTHORIZED {
            response.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let degraded = self.degraded.as_deref().unwrap_or_default();
            response.insert_header((RETRY_AFTER, retry_after(degraded)));
        }
        if let Some(quota) = &self.quota {
            response.insert_header(("ratelimit-policy", quota.policy()));
            response.insert_header(("ratelimit", quota.remaining()));
            if status == StatusCode::TOO_MANY_REQUESTS {
                response.insert_header((RETRY_AFTER, quota.seconds().to_string()));
            }
        }
        response.insert_header(("content-type", "application/problem+json"));
        let mut response = response.json(self.problem(status, title));
        if let Some(ids) = &self.ids {
            ids.stamp(response.headers_mut());
        }
        response
    }
}

/// The problem code of a degradation that became a refusal.
pub(crate) const fn refused_for(code: DegradedCode) -> ProblemCode {
    match code {
        DegradedCode::WorkerUnavailable => ProblemCode::WorkerUnavailable,
        DegradedCode::DbUnavailable => ProblemCode::DbUnavailable,
        DegradedCode::Overloaded => ProblemCode::Overloaded,
    }
}

/// Whole seconds until all that was missing may be back: rounded up, at least 1.
pub(crate) fn retry_after(degraded: &[Degraded]) -> String {
    let longest = degraded
        .iter()
        .map(|entry| entry.retry_after_seconds)
        .fold(1.0, f64::max);
    format!("{:.0}", longest.ceil())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(retry_after_seconds: f64) -> Degraded {
        Degraded {
            code: DegradedCode::WorkerUnavailable,
            reason: Reason::CircuitOpen,
            detail: String::new(),
            attempts: 0,
            elapsed_seconds: 0.0,
            retry_after_seconds,
        }
    }

    #[test]
    fn retry_after_is_whole_seconds_rounded_up_and_at_least_one() {
        assert_eq!(retry_after(&[]), "1");
        assert_eq!(retry_after(&[missing(0.2)]), "1");
        assert_eq!(retry_after(&[missing(1.0), missing(4.2)]), "5");
    }

    #[test]
    fn every_refusal_for_want_of_something_says_when_to_come_back() {
        for code in ProblemCode::ALL {
            let response = Failure::new(*code, "").error_response();
            let says_when = response.headers().contains_key(RETRY_AFTER);
            assert_eq!(says_when, response.status() == 503, "{code}");
        }
    }
}
