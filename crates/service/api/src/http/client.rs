//! Whose call it is, for the rate limit.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::config::ClientBy;
use crate::rate_limit::{Client, RemainingQuota};

/// A longer name is none: names are kept.
const MAX_NAME: usize = 128;

/// The client behind `request`.
pub(super) fn of(request: &HttpRequest, by: &ClientBy) -> Client {
    let named = match by {
        ClientBy::Address => None,
        ClientBy::Header(name) => request
            .headers()
            .get(name.as_str())
            .map(HeaderValue::as_bytes),
    };
    match named {
        Some(name) if (1..=MAX_NAME).contains(&name.len()) => Client::Named(name.into()),
        _ => Client::of_address(address(request)),
    }
}

/// The peer's; IPv4 as such, also where it came in through a socket for both.
pub(super) fn address(request: &HttpRequest) -> Option<IpAddr> {
    request.peer_addr().map(|peer| peer.ip().to_canonical())
}

/// Tells the client what is left of its quota.
pub(super) fn add_rate_limit(quota: &RemainingQuota, headers: &mut HeaderMap) {
    for (name, text) in [
        ("ratelimit-policy", quota.policy()),
        ("ratelimit", quota.remaining()),
    ] {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}
