//! A worker that answers each call otherwise: by its answers, the result that a client was told can be told from the one that
//! is recorded. The real one always says the same. All else is as with the real one: its own process, its delay, its count.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use uuid::Uuid;

use crate::proxy::AFTER_AN_ERROR;

/// By which the lab is this worker.
pub(super) const COMMAND: &[&str] = &["distinct-worker"];
/// The count that the real worker keeps, under its name.
pub(super) const CALLS: &str = "holdfast_work_calls_total";

/// Serves until its process is killed.
pub async fn serve(listener: TcpListener, delay: Duration) {
    let calls = Arc::new(AtomicU64::new(0));
    loop {
        match listener.accept().await {
            Ok((client, _)) => {
                tokio::spawn(converse(client, delay, Arc::clone(&calls)));
            }
            Err(_) => sleep(AFTER_AN_ERROR).await,
        }
    }
}

/// One request after the other, none of which has a body; a client that leaves ends it.
async fn converse(client: TcpStream, delay: Duration, calls: Arc<AtomicU64>) -> Option<()> {
    // Small answers to one who waits for them.
    client.set_nodelay(true).ok()?;
    let mut client = BufReader::new(client);
    loop {
        let mut asked = String::new();
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            if client.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            if asked.is_empty() {
                asked.clone_from(&line);
            }
        }
        let (status, body) = match asked.split(' ').nth(1) {
            Some("/work") => {
                calls.fetch_add(1, Ordering::Relaxed);
                sleep(delay).await;
                ("200 OK", result())
            }
            Some("/metrics") => {
                let count = calls.load(Ordering::Relaxed);
                ("200 OK", format!("{CALLS} {count}\n"))
            }
            Some("/livez" | "/readyz") => ("200 OK", "{}".to_owned()),
            _ => ("404 Not Found", "{}".to_owned()),
        };
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        client.get_mut().write_all(answer.as_bytes()).await.ok()?;
    }
}

/// No two are alike, whichever process of however many gave them.
fn result() -> String {
    format!(r#"{{"status":"done","result":"{}"}}"#, Uuid::now_v7())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::AdminClient;

    #[tokio::test]
    async fn each_call_has_a_result_of_its_own_and_is_counted() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let served = tokio::spawn(serve(listener, Duration::ZERO));
        let client = reqwest::Client::new();
        let mut told = Vec::new();
        for _ in 0..3 {
            let answer = client.get(format!("http://127.0.0.1:{port}/work")).send();
            told.push(answer.await.unwrap().text().await.unwrap());
        }
        told.sort();
        told.dedup();
        assert_eq!(told.len(), 3, "{told:?}");
        let probe = AdminClient::new(port);
        probe.ready().await.unwrap();
        assert_eq!(probe.metric::<u64>(CALLS).await, Some(3));
        served.abort();
    }
}
