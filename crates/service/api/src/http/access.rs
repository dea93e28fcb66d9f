//! Which requests are answered at all: those meant for this host, and of a browser's, those that its user's own page sent.
//!
//! A page of another site can make a browser call any address the browser reaches, this one included. It cannot choose the
//! `Host`, nor what the browser says of where the call comes from.

use std::net::IpAddr;

use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::http::header::{HOST, HeaderMap, ORIGIN};
use holdfast_wire::ProblemCode;

use super::probes;
use super::problem::Failure;
use actix_web::http::uri::Authority;

use crate::config::{AllowedHosts, HTTP_PORT, split};

/// Routes whose GET does the work, as their POST does.
const WITH_EFFECT: [&str; 2] = ["/process", "/naive/process"];

/// Refuses `request` if it is meant for another host, or comes from another site and has an effect.
pub(super) fn check(allowed: &AllowedHosts, request: &ServiceRequest) -> Result<(), Failure> {
    // As the routes are found by it: whoever writes a letter as %70 means the same route.
    let (headers, path) = (request.headers(), request.match_info().as_str());
    let target = request.uri().authority().map(Authority::as_str);
    for host in texts(headers, &HOST).chain(target) {
        // Whoever probes a container by its address has no name for it.
        let by_address = probes::is_one(path) && split(host).0.parse::<IpAddr>().is_ok();
        if !allowed.contains(host) && !by_address {
            let detail = "this service does not answer under that Host: see HOLDFAST_ALLOWED_HOSTS";
            return Err(Failure::new(ProblemCode::MisdirectedRequest, detail));
        }
    }
    if has_effect(request.method(), path) && is_cross_site(allowed, headers) {
        let detail = "a browser sent it from another site's page: ask from a page of this service, or without a browser";
        return Err(Failure::new(ProblemCode::CrossSite, detail));
    }
    Ok(())
}

fn has_effect(method: &Method, path: &str) -> bool {
    match *method {
        Method::GET => WITH_EFFECT.contains(&path),
        Method::HEAD | Method::OPTIONS => false,
        _ => true,
    }
}

fn is_cross_site(allowed: &AllowedHosts, headers: &HeaderMap) -> bool {
    let mut sites = headers.get_all("sec-fetch-site");
    if sites.any(|site| site.as_bytes().eq_ignore_ascii_case(b"cross-site")) {
        return true;
    }
    let host = texts(headers, &HOST).next();
    texts(headers, &ORIGIN).any(|origin| {
        let (scheme, authority) = origin.split_once("://").unwrap_or_default();
        let is_ours = host.is_some_and(|host| host.eq_ignore_ascii_case(authority));
        let default_port = if scheme == "https" { "443" } else { HTTP_PORT };
        !is_ours && !allowed.names(authority, default_port)
    })
}

/// What cannot be read is nobody's name.
fn texts<'a>(
    headers: &'a HeaderMap,
    name: &'a actix_web::http::header::HeaderName,
) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .map(|value| value.to_str().unwrap_or(""))
}
