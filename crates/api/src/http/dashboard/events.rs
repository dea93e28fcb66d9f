//! `/events`: what the page shows, as it changes.

use std::convert::Infallible;

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data};
use futures_util::{StreamExt, stream};
use holdfast_wire::{Degraded, DegradedCode, ProblemCode, Reason};

use super::{feed, frame};
use crate::http::problem::Failure;
use crate::state::State;

pub(in crate::http) async fn events(state: Data<State>) -> Result<HttpResponse, Failure> {
    // Before the look: what happens in between is then told twice rather than not at all.
    let rest = state.feed.stream().ok_or_else(too_many)?;
    let now = frame::event("live", &feed::look(&state));
    let body = stream::iter(now).chain(rest);
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .streaming(body.map(Ok::<Bytes, Infallible>)))
}

fn too_many() -> Failure {
    let missing = Degraded {
        code: DegradedCode::Overloaded,
        reason: Reason::BulkheadFull,
        detail: "as many streams of events are open as the service takes on".to_owned(),
        attempts: 0,
        elapsed_seconds: 0.0,
        retry_after_seconds: 2.0,
    };
    let detail = "close a page, or ask /status instead";
    Failure::unavailable(ProblemCode::Overloaded, detail, vec![missing])
}
