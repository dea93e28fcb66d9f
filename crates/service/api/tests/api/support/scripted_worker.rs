//! A worker that answers what a test scripts: another result each time, or a refusal for some callers only.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

/// A status and a body.
pub(crate) type Scripted = (u16, String);

/// Answers by its script, which is given the number of the call and what the call said.
pub(crate) struct ScriptedWorker {
    address: SocketAddr,
    calls: Arc<AtomicUsize>,
}

impl ScriptedWorker {
    pub(crate) async fn start(
        delay: Duration,
        script: impl Fn(usize, &str) -> Scripted + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let worker = Self {
            address: listener.local_addr().unwrap(),
            calls: Arc::default(),
        };
        let (script, calls) = (Arc::new(script), Arc::clone(&worker.calls));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (script, calls) = (Arc::clone(&script), Arc::clone(&calls));
                tokio::spawn(async move { serve(stream, delay, &*script, &calls).await });
            }
        });
        worker
    }

    /// Answers `{"n": 1}`, then `{"n": 2}`, and so on.
    pub(crate) async fn counting(delay: Duration) -> Self {
        Self::start(delay, |n, _| (200, format!("{{\"n\": {n}}}"))).await
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

async fn serve(
    mut stream: TcpStream,
    delay: Duration,
    script: &(impl Fn(usize, &str) -> Scripted + Send + Sync),
    calls: &AtomicUsize,
) {
    let mut request = [0; 2048];
    let length = stream.read(&mut request).await.unwrap_or(0);
    if length == 0 {
        return;
    }
    let number = calls.fetch_add(1, Ordering::SeqCst) + 1;
    sleep(delay).await;
    let (status, body) = script(number, &String::from_utf8_lossy(&request[..length]));
    let answer = format!(
        "HTTP/1.1 {status} Said\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}
