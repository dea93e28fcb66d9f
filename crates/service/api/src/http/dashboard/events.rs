//! `/events`: what the page shows, as it changes.

use std::convert::Infallible;

use actix_web::http::Method;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::{StreamExt, stream};

use super::feed::{Feed, look};
use super::frame;
use crate::http::connections::Exchange;
use crate::http::problem::Failure;
use crate::metrics::Metrics;
use crate::overview::Overview;

pub(in crate::http) async fn events(
    overview: Data<Overview>,
    metrics: Data<Metrics>,
    feed: Data<Feed>,
    http: HttpRequest,
) -> Result<HttpResponse, Failure> {
    let mut answer = HttpResponse::Ok();
    answer.content_type("text/event-stream");
    if http.method() == Method::HEAD {
        return Ok(answer.finish());
    }
    // Before the look: what happens in between is then told twice rather than not at all.
    let rest = feed.stream().ok_or_else(too_many)?;
    let now = frame::event("live", &look(&overview, &metrics));
    // A stream of its own accord never ends: as long as it is read, its connection owes no other request.
    let exchange = Exchange::of(&http);
    let body = stream::iter(now).chain(rest).map(move |bytes| {
        let _busy = &exchange;
        Ok::<Bytes, Infallible>(bytes)
    });
    Ok(answer.streaming(body))
}

fn too_many() -> Failure {
    let what = "as many streams of events are open as the service takes on";
    Failure::overloaded(what, "close a page, or ask /status instead", 2.0)
}
