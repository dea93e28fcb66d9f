//! Reading a request's body: bounded in size and time, JSON or nothing.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING};
use actix_web::web::{BytesMut, Payload};
use futures_util::StreamExt;
use holdfast_wire::ProblemCode;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::time::timeout;

use super::problem::Failure;

/// The largest body that is accepted, in bytes.
const MAX_BODY: usize = 64 * 1024;
/// How long a body may take to arrive.
const READ_LIMIT: Duration = Duration::from_secs(10);

/// Whether the request says that a body follows.
pub(super) fn is_announced(request: &HttpRequest) -> bool {
    let headers = request.headers();
    let length = headers.get(CONTENT_LENGTH);
    headers.contains_key(TRANSFER_ENCODING) || length.is_some_and(|length| length != "0")
}

/// The body as received, `None` when there is none.
pub(super) async fn json(
    request: &HttpRequest,
    payload: Payload,
) -> Result<Option<Box<RawValue>>, Failure> {
    // What is not there has no encoding either.
    if !is_announced(request) {
        return Ok(None);
    }
    let mut encodings = request.headers().get_all(CONTENT_ENCODING);
    if encodings.any(|it| !it.as_bytes().eq_ignore_ascii_case(b"identity")) {
        let detail = "send the JSON as it is, without a Content-Encoding";
        return Err(Failure::new(ProblemCode::UnsupportedEncoding, detail));
    }
    let announced = request.headers().get(CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > MAX_BODY as u64) {
        return Err(too_large());
    }
    let body = timeout(READ_LIMIT, read(payload)).await.map_err(|_| {
        let detail = format!("it did not arrive within {} s", READ_LIMIT.as_secs());
        Failure::new(ProblemCode::RequestTimeout, detail)
    })??;
    if body.is_empty() {
        return Ok(None);
    }
    // Parsed as a value only to check it: this bounds the nesting and refuses what no JSON reader would take back.
    serde_json::from_slice::<Value>(&body).map_err(|error| invalid(&error))?;
    serde_json::from_slice(&body)
        .map(Some)
        .map_err(|error| invalid(&error))
}

fn invalid(error: &serde_json::Error) -> Failure {
    Failure::new(ProblemCode::InvalidJson, error.to_string())
}

fn too_large() -> Failure {
    let detail = format!("at most {MAX_BODY} bytes are accepted");
    Failure::new(ProblemCode::BodyTooLarge, detail)
}

async fn read(mut payload: Payload) -> Result<BytesMut, Failure> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| {
            Failure::new(
                ProblemCode::InvalidJson,
                format!("the body cannot be read: {error}"),
            )
        })?;
        if body.len() + chunk.len() > MAX_BODY {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
