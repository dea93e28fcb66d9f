//! Measures every exchange, whatever became of it; a stream of events up to its head. Stands outermost, so that what it sees is what the client gets.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;

use crate::metrics::Metrics;

/// The middleware. An exchange whose client left is not measured, only counted while it lasted.
pub(crate) async fn measure<B: MessageBody>(
    metrics: Data<Metrics>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let Some(metrics) = metrics.http() else {
        return next.call(request).await;
    };
    let exchange = metrics.begin(request.method().as_str());
    // An error does not bring the request back; who was routed knows the route also of a path that was written otherwise.
    let route = request.match_pattern();
    let result = next.call(request).await;
    let (route, status) = match &result {
        Ok(response) => (response.request().match_pattern(), response.status()),
        Err(error) => (route, error.as_response_error().status_code()),
    };
    exchange.answered(route, status.as_u16());
    result
}
