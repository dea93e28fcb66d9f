//! What every exchange gets, whatever its handler does: a request id, `no-store`, a problem body for every error, an answer
//! even when the handler panics, and once the service drains the end of its connection.

use std::panic::AssertUnwindSafe;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpRequest, ResponseError};
use futures_util::FutureExt;
use holdfast_ops::Readiness;
use holdfast_wire::ProblemCode;

use super::access;
use super::connections::Exchange;
use super::ids::Ids;
use super::probes;
use super::problem::Failure;
use crate::config::AllowedHosts;
use crate::trace;

/// The middleware. Stands inside the tracing logger, which chooses the ids.
pub(crate) async fn envelope<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let (ids, context) = Ids::of(&request);
    if let Some(hosts) = request.app_data::<Data<AllowedHosts>>()
        && let Err(refusal) = access::check(hosts, &request)
    {
        return Err(refusal.of_exchange(ids).into());
    }
    let exchange = Exchange::of(request.request());
    if exchange.as_ref().is_some_and(Exchange::is_one_too_many)
        && !probes::is_one(request.match_info().as_str())
    {
        let what = "as many connections are at work as the service takes on";
        let failure = Failure::overloaded(what, "nothing was recorded: try again", 1.0);
        return Err(failure.of_exchange(ids).into());
    }
    let handled = trace::within(context, next.call(request));
    // actix answers a panic with zero bytes; a client deserves to learn that it was us.
    match AssertUnwindSafe(handled).catch_unwind().await {
        Ok(Ok(response)) => Ok(seal(response, ids)),
        Ok(Err(error)) => Err(failure_of(&error).of_exchange(ids).into()),
        Err(_panic) => {
            tracing::error!("a handler panicked");
            Err(
                Failure::new(ProblemCode::Internal, "see the logs under this request id")
                    .of_exchange(ids)
                    .into(),
            )
        }
    }
}

fn seal<B: MessageBody + 'static>(
    response: ServiceResponse<B>,
    ids: Ids,
) -> ServiceResponse<BoxBody> {
    let mut response = match response.response().error().map(failure_of) {
        Some(failure) => {
            let problem = failure.of_exchange(ids.clone()).error_response();
            response.into_response(problem)
        }
        None => response.map_into_boxed_body(),
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    ids.stamp(headers);
    if is_draining(response.request()) {
        // Or the client sends its next request on it at the moment when it is closed, and cannot know what became of that.
        let head = response.response_mut().head_mut();
        head.set_connection_type(ConnectionType::Close);
    }
    response
}

fn is_draining(request: &HttpRequest) -> bool {
    let readiness = request.app_data::<Data<Readiness>>();
    readiness.is_some_and(|it| !it.is_ready())
}

/// The failure behind an actix error. What is none of ours comes from reading the request: the client's fault or
/// actix' own.
fn failure_of(error: &Error) -> Failure {
    if let Some(failure) = error.as_error::<Failure>() {
        return failure.clone();
    }
    if error.as_response_error().status_code().is_client_error() {
        Failure::new(ProblemCode::InvalidRequest, "the request cannot be read")
    } else {
        tracing::error!(%error, "an error nobody mapped");
        Failure::new(ProblemCode::Internal, "see the logs under this request id")
    }
}

#[cfg(test)]
mod tests {
    use super::super::ids::{REQUEST_ID, TRACE_ID};
    use super::super::span::RequestSpan;
    use super::*;
    use actix_web::dev::Service;
    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, call_service, init_service};
    use actix_web::{App, web};
    use tracing_actix_web::TracingLogger;

    #[tokio::test]
    async fn a_handler_that_panics_is_answered_with_a_problem_and_the_next_call_is_served() {
        async fn panics() -> &'static str {
            panic!("on purpose")
        }
        let app = App::new()
            .route("/panics", web::get().to(panics))
            .route("/works", web::get().to(|| async { "fine" }))
            .wrap(from_fn(envelope))
            .wrap(TracingLogger::<RequestSpan>::new());
        let app = init_service(app).await;
        let get = |path: &str| TestRequest::get().uri(path).to_request();

        let error = app.call(get("/panics")).await.err().unwrap();
        let failure = error.as_error::<Failure>().unwrap();
        assert_eq!(failure.status_code(), 500);
        let answer = failure.error_response();
        assert_eq!(
            answer.headers().get("content-type").unwrap(),
            "application/problem+json"
        );
        assert!(answer.headers().contains_key(REQUEST_ID));
        assert!(answer.headers().contains_key(TRACE_ID));

        let answer = call_service(&app, get("/works")).await;
        assert_eq!(answer.status(), 200);
        assert!(answer.headers().contains_key(REQUEST_ID));
        assert!(answer.headers().contains_key(TRACE_ID));
    }
}
