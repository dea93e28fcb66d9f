//! One request, as a client behind a load balancer makes it: no answer, then the next API, with the same key.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use super::outcome::{Broken, Outcome, Reply, Try};
use super::post::Poster;

/// How long a client tries.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// Calls the APIs in turn.
#[derive(Debug)]
pub struct Caller {
    poster: Poster,
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
        Self {
            poster: Poster::new(),
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
        let url = self.urls.get(api).map(String::as_str).unwrap_or_default();
        let url = format!("{url}/process");
        let asked = self.poster.ask(&url, key, Some(body), &[]);
        let made = timeout(self.try_for, asked).await;
        let reply = made.unwrap_or(Reply::Broken(Broken::Silent));
        Try {
            api,
            from,
            to: self.epoch.elapsed(),
            reply,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
