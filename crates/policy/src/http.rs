//! What an HTTP answer says of the dependency that gave it (feature `http`), and how reqwest fails (feature `reqwest`).
//!
//! The only place of this crate that knows HTTP; nothing else uses it.
//!
//! | answer | class |
//! |---|---|
//! | 429; 503 with `Retry-After` | [throttled](Class::throttled): it is well and has too much to do |
//! | 408, 425, any other 5xx but 501 and 505 | a failure, tried again if the call is idempotent |
//! | any other 4xx, 501, 505 | [neutral](Class::neutral): the request is at fault, or will never be understood |
//! | all else | a success |
//! | no answer | a failure, tried again if the call is idempotent |
//! | reqwest: no connection | a failure that never reached the server: tried again always |
//! | reqwest: a request that cannot be built, redirects without end | neutral |
//!
//! A body that is read outside the call is not judged: have the operation read it, or hand over what an error while reading
//! means.

use std::time::Duration;

use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822;

use crate::class::{Class, Classify};

/// Classifies [`http::Response`]s, whatever their body, and reqwest's answers and errors.
#[derive(Clone, Copy, Debug, Default)]
pub struct ByStatus;

impl<B, E> Classify<http::Response<B>, E> for ByStatus {
    fn classify(&self, outcome: &Result<http::Response<B>, E>) -> Class {
        match outcome {
            Ok(answer) => class(answer.status(), answer.headers()),
            Err(_) => Class::failure().retry_if_idempotent(),
        }
    }
}

#[cfg(feature = "reqwest")]
impl Classify<reqwest::Response, reqwest::Error> for ByStatus {
    fn classify(&self, outcome: &reqwest::Result<reqwest::Response>) -> Class {
        match outcome {
            Ok(answer) => class(answer.status(), answer.headers()),
            Err(error) => class_of_error(error),
        }
    }
}

/// What an answer with this status and these headers says.
pub fn class(status: StatusCode, headers: &HeaderMap) -> Class {
    let asked = retry_after(headers);
    let class = match status.as_u16() {
        429 => Class::throttled().because("too_many_requests"),
        503 if asked.is_some() => Class::throttled().because("service_unavailable"),
        501 | 505 => Class::neutral(),
        408 | 425 | 500..=599 => Class::failure()
            .retry_if_idempotent()
            .because(cause(status)),
        400..=499 => Class::neutral(),
        _ => Class::success(),
    };
    asked.map_or(class, |wait| class.retry_after(wait))
}

/// What an error of reqwest says. One that comes of `error_for_status` is judged by its status; its headers are gone.
#[cfg(feature = "reqwest")]
pub fn class_of_error(error: &reqwest::Error) -> Class {
    if let Some(status) = error.status() {
        return class(status, &HeaderMap::new());
    }
    if error.is_builder() || error.is_redirect() {
        return Class::neutral();
    }
    if error.is_connect() {
        return Class::failure().retry_always().because("connect");
    }
    Class::failure().retry_if_idempotent()
}

/// How long `Retry-After` asks to be left alone: seconds, or a date, which is held against the answer's own `Date`, so that
/// no clock but the server's is asked. `None` where it says nothing that can be understood.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok();
    let asked = text(RETRY_AFTER)?.trim();
    if !asked.is_empty() && asked.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(asked.parse().unwrap_or(u64::MAX)));
    }
    let wait = date(asked)?.duration_since(date(text(DATE)?)?);
    Some(Duration::try_from(wait).unwrap_or_default())
}

fn date(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

fn cause(status: StatusCode) -> &'static str {
    match status.as_u16() {
        408 => "request_timeout",
        425 => "too_early",
        500 => "internal_server_error",
        502 => "bad_gateway",
        503 => "service_unavailable",
        504 => "gateway_timeout",
        _ => "server_error",
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::class::{Health, Retry};

    fn headers<const N: usize>(pairs: [(http::HeaderName, &'static str); N]) -> HeaderMap {
        let pairs = pairs.map(|(name, value)| (name, HeaderValue::from_static(value)));
        HeaderMap::from_iter(pairs)
    }

    fn of(status: u16) -> Class {
        class(StatusCode::from_u16(status).unwrap(), &HeaderMap::new())
    }

    #[test]
    fn each_status_says_what_the_table_says() {
        for status in [100, 200, 204, 304] {
            assert_eq!(of(status), Class::success(), "{status}");
        }
        for status in [400, 401, 404, 409, 422, 451, 501, 505] {
            assert_eq!(of(status), Class::neutral(), "{status}");
        }
        for status in [408, 425, 500, 502, 503, 504, 507, 599] {
            let class = of(status);
            assert_eq!(
                (class.health, class.retry),
                (Health::Failure, Retry::IfIdempotent)
            );
            assert!(!class.throttled && class.cause.is_some(), "{status}");
        }
        assert!(of(429).throttled);
    }

    #[test]
    fn a_503_that_says_when_to_come_back_is_throttled_until_then() {
        let class = class(
            StatusCode::SERVICE_UNAVAILABLE,
            &headers([(RETRY_AFTER, "7")]),
        );
        assert!(class.throttled);
        assert_eq!(class.retry_after, Some(Duration::from_secs(7)));
    }

    #[test]
    fn a_date_is_held_against_the_servers_own_clock() {
        let later = "Fri, 31 Dec 1999 23:59:59 GMT";
        let now = "Fri, 31 Dec 1999 23:59:29 GMT";
        let wait = |pairs| retry_after(&pairs);
        assert_eq!(
            wait(headers([(RETRY_AFTER, later), (DATE, now)])),
            Some(Duration::from_secs(30))
        );
        let over = headers([(RETRY_AFTER, now), (DATE, later)]);
        assert_eq!(wait(over), Some(Duration::ZERO));
        assert_eq!(wait(headers([(RETRY_AFTER, later)])), None, "whose clock?");
    }

    #[test]
    fn what_is_no_time_is_none_and_what_is_too_long_is_very_long() {
        for text in ["", "-1", "1.5", "soon", "7 s"] {
            assert_eq!(retry_after(&headers([(RETRY_AFTER, text)])), None, "{text}");
        }
        let long = headers([(RETRY_AFTER, "99999999999999999999999")]);
        assert_eq!(retry_after(&long), Some(Duration::from_secs(u64::MAX)));
    }
}
