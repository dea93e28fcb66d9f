//! Whose call it is, for those who share out.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderValue;

use crate::config::ClientBy;
use crate::rate_limit::Client;

/// A longer name is none: names are kept.
const LONGEST: usize = 128;

/// The client behind `request`.
pub(super) fn of(request: &HttpRequest, by: &ClientBy) -> Client {
    let named = match by {
        ClientBy::Address => None,
        ClientBy::Header(name) => request.headers().get(name).map(HeaderValue::as_bytes),
    };
    match named {
        Some(name) if (1..=LONGEST).contains(&name.len()) => Client::Named(name.into()),
        _ => Client::of_address(address(request)),
    }
}

/// The peer's; IPv4 as such, also where it came in through a socket for both.
pub(super) fn address(request: &HttpRequest) -> Option<IpAddr> {
    request.peer_addr().map(|peer| peer.ip().to_canonical())
}
