//! One request, as a client behind a load balancer makes it: no answer, then the next API, with the same key.

use std::time::Duration;

use reqwest::header::{HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::retry;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::outcome::{Answer, Broken, Outcome, Reply, Try};

/// How long a client tries.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// Calls the APIs in turn.
#[derive(Debug)]
pub struct Caller {
    client: reqwest::Client,
    urls: Vec<String>,
    try_for: Duration,
    epoch: Instant,
}

/// The body of a request: its number for whoever reads the table, its key to find the row by.
#[must_use]
pub fn body(number: u64, key: &str) -> Value {
    json!({"number": number, "key": key})
}

impl Caller {
    /// Of the APIs at `urls`; a try waits `try_for` for its answer; times count from `epoch`.
    #[must_use]
    pub fn new(urls: Vec<String>, try_for: Duration, epoch: Instant) -> Self {
        // A connection per try, and no try that is not ours: then what is refused was refused, and to this request.
        let client = reqwest::Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .retry(retry::never())
            .redirect(reqwest::redirect::Policy::none());
        Self {
            // Without TLS there is nothing in the builder that can fail.
            client: client.build().unwrap_or_default(),
            urls,
            try_for,
            epoch,
        }
    }

    /// Makes request `number`, which was meant to start at `intended`, until it is answered or patience ends.
    pub async fn call(&self, number: u64, key: String, intended: Instant) -> Outcome {
        let body = body(number, &key);
        let mut tries: Vec<Try> = Vec::new();
        let first = usize::try_from(number).unwrap_or_default();
        loop {
            let api = (first + tries.len()) % self.urls.len().max(1);
            let made = self.make(api, &key, &body).await;
            let answered = matches!(made.reply, Reply::Answer(_));
            tries.push(made);
            if answered || intended.elapsed() > PATIENCE {
                let intended = intended.saturating_duration_since(self.epoch);
                return Outcome {
                    number,
                    key,
                    intended,
                    tries,
                };
            }
            sleep(PAUSE).await;
        }
    }

    /// One try at one API.
    pub async fn make(&self, api: usize, key: &str, body: &Value) -> Try {
        let from = self.epoch.elapsed();
        let reply = match self.send(api, key, body).await {
            Ok(answer) => Reply::Answer(answer),
            Err(error) => Reply::Broken(broken(&error)),
        };
        Try {
            api,
            from,
            to: self.epoch.elapsed(),
            reply,
        }
    }

    async fn send(&self, api: usize, key: &str, body: &Value) -> reqwest::Result<Answer> {
        let url = self.urls.get(api).map(String::as_str).unwrap_or_default();
        let answer = self
            .client
            .post(format!("{url}/process"))
            .timeout(self.try_for)
            .header("Idempotency-Key", key)
            .json(body)
            .send()
            .await?;
        let status = answer.status().as_u16();
        let headers = answer.headers().clone();
        Ok(read(status, &headers, &answer.bytes().await?))
    }
}

/// Leniently: what an answer lacks is for the verdict to judge.
fn read(status: u16, headers: &HeaderMap, body: &[u8]) -> Answer {
    let header = |name| headers.get(name)?.to_str().ok();
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name| body.get(name).and_then(Value::as_str);
    let degraded = body.get("degraded").and_then(Value::as_array);
    Answer {
        status,
        request_id: text("request_id").and_then(|id| id.parse().ok()),
        code: text("code").map(str::to_owned),
        degraded: degraded.is_some_and(|list| !list.is_empty()),
        recorded_in: text("recorded_in").map(str::to_owned),
        has_result: body
            .get("worker_response")
            .is_some_and(|response| !response.is_null()),
        location: header(LOCATION).map(str::to_owned),
        retry_after: header(RETRY_AFTER).and_then(|seconds| seconds.parse().ok()),
    }
}

fn broken(error: &reqwest::Error) -> Broken {
    if lacks_files(error) {
        Broken::NoFile
    } else if error.is_timeout() {
        Broken::Silent
    } else if error.is_connect() {
        Broken::Refused
    } else {
        Broken::Reset
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
            r#"{{"request_id":"{id}","recorded_in":"journal","worker_response":null,"degraded":[{{}}]}}"#
        );
        let headers = [(LOCATION, "/requests/1"), (RETRY_AFTER, "4")];
        let headers = headers.map(|(name, value)| (name, value.parse().unwrap()));
        let answer = read(202, &headers.into_iter().collect(), text.as_bytes());
        assert_eq!(answer.request_id.unwrap().to_string(), id);
        assert!(answer.degraded && !answer.has_result);
        assert_eq!(answer.recorded_in.as_deref(), Some("journal"));
        assert_eq!(answer.location.as_deref(), Some("/requests/1"));
        assert_eq!(answer.retry_after, Some(4));
        for nonsense in ["", "[]", "null", r#"{"request_id":7,"degraded":1}"#] {
            let answer = read(500, &HeaderMap::new(), nonsense.as_bytes());
            assert_eq!(answer.request_id, None);
        }
    }

    #[tokio::test]
    async fn a_refused_call_goes_on_to_the_next_api() {
        let closed = crate::ports::free().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let urls = [closed, listener.local_addr().unwrap().port()];
        let urls = urls.map(|port| format!("http://127.0.0.1:{port}")).to_vec();
        tokio::spawn(async move {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await.unwrap();
            let answer = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 15\r\n\r\n{\"code\":\"over\"}";
            stream.write_all(answer).await.unwrap();
        });
        let caller = Caller::new(urls, Duration::from_secs(5), Instant::now());
        let outcome = caller.call(0, "key".to_owned(), Instant::now()).await;
        assert_eq!(outcome.tries.len(), 2);
        assert_eq!(outcome.tries[0].reply, Reply::Broken(Broken::Refused));
        assert_eq!(outcome.answer().unwrap().code.as_deref(), Some("over"));
        assert_eq!(outcome.accepted(), None);
    }
}
