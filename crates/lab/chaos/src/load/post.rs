//! One request over a connection of its own, and what came of it.

use reqwest::RequestBuilder;
use reqwest::header::{HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::retry;
use serde_json::Value;

use super::{Answer, Completion};

/// A client that makes each try itself, on a connection that is closed with it: what is refused was refused, and to this
/// request. It waits for ever; whoever does not drops the call, and with it the connection.
#[derive(Debug)]
pub struct Poster {
    client: reqwest::Client,
}

impl Default for Poster {
    fn default() -> Self {
        let client = reqwest::Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .retry(retry::never())
            .redirect(reqwest::redirect::Policy::none());
        Self {
            // Without TLS there is nothing in the builder that can fail.
            client: client.build().unwrap_or_default(),
        }
    }
}

impl Poster {
    /// `POST` with a body, `GET` without: of an API that takes none.
    pub async fn ask(
        &self,
        url: &str,
        key: &str,
        body: Option<&Value>,
        headers: &[(&'static str, String)],
    ) -> Completion {
        let request = match body {
            Some(body) => self.client.post(url).json(body),
            None => self.client.get(url),
        };
        let request = request.header("Idempotency-Key", key);
        let headers = headers.iter();
        reply(headers.fold(request, |request, (name, value)| {
            request.header(*name, value)
        }))
        .await
    }
}

async fn reply(request: RequestBuilder) -> Completion {
    let sent = async {
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        let headers = answer.headers().clone();
        Ok(read(status, &headers, &answer.bytes().await?))
    };
    match sent.await {
        Ok(answer) => Completion::Answered(answer),
        Err(error) => broken(&error),
    }
}

/// Leniently: what an answer lacks is for the verdict to judge.
#[must_use]
pub fn read(status: u16, headers: &HeaderMap, body: &[u8]) -> Answer {
    let header = |name| headers.get(name)?.to_str().ok();
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name| body.get(name).and_then(Value::as_str);
    let result = body.get("worker_response").filter(|it| !it.is_null());
    let degraded = body.get("degraded").and_then(Value::as_array);
    Answer {
        status,
        request_id: text("request_id").and_then(|id| id.parse().ok()),
        code: text("code").map(str::to_owned),
        degraded: degraded.map_or_else(Vec::new, |list| list.iter().map(lack).collect()),
        recorded_in: text("recorded_in").map(str::to_owned),
        has_result: result.is_some(),
        result: result.map(Value::to_string),
        location: header(LOCATION).map(str::to_owned),
        retry_after: header(RETRY_AFTER).and_then(|seconds| seconds.parse().ok()),
    }
}

/// An entry of `degraded` as `CODE:REASON`.
fn lack(entry: &Value) -> String {
    let text = |name| entry.get(name).and_then(Value::as_str).unwrap_or("?");
    format!("{}:{}", text("code"), text("reason"))
}

fn broken(error: &reqwest::Error) -> Completion {
    if lacks_files(error) {
        Completion::NoFile
    } else if error.is_timeout() {
        Completion::GivenUp
    } else if error.is_connect() {
        Completion::Refused
    } else {
        Completion::Reset
    }
}

/// Whether this process, or the machine, has as many files open as it may.
fn lacks_files(error: &reqwest::Error) -> bool {
    let first = std::error::Error::source(error);
    let mut causes = std::iter::successors(first, |cause| cause.source());
    causes.any(|cause| {
        let io = cause.downcast_ref::<std::io::Error>();
        let errno = io.and_then(rustix::io::Errno::from_io_error);
        matches!(
            errno,
            Some(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_body_is_survived() {
        let id = "0198c0de-0000-7000-8000-000000000000";
        let text = format!(
            r#"{{"request_id":"{id}","recorded_in":"journal","worker_response":null,"degraded":[{{"code":"a","reason":"b"}},7]}}"#
        );
        let headers = [(LOCATION, "/requests/1"), (RETRY_AFTER, "4")];
        let headers = headers.map(|(name, value)| (name, value.parse().unwrap()));
        let answer = read(202, &headers.into_iter().collect(), text.as_bytes());
        assert_eq!(answer.request_id.unwrap().to_string(), id);
        assert_eq!(answer.degraded, ["a:b", "?:?"]);
        assert!(!answer.has_result);
        assert_eq!(answer.recorded_in.as_deref(), Some("journal"));
        assert_eq!(answer.location.as_deref(), Some("/requests/1"));
        assert_eq!(answer.retry_after, Some(4));
        for nonsense in ["", "[]", "null", r#"{"request_id":7,"degraded":1}"#] {
            let answer = read(500, &HeaderMap::new(), nonsense.as_bytes());
            assert_eq!(answer.request_id, None);
        }
    }
}
