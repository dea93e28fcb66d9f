//! A worker that keeps what it was sent and answers with the status it is told: what the real one cannot be made to do.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

pub(crate) struct CountingWorker {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
    status: Arc<AtomicU16>,
}

impl CountingWorker {
    /// Does the work in `delay`.
    pub(crate) async fn start(delay: Duration) -> Self {
        Self::serve(delay, 200).await
    }

    /// Answers with `status` at once.
    pub(crate) async fn saying(status: u16) -> Self {
        Self::serve(Duration::ZERO, status).await
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn calls(&self) -> usize {
        self.heard.lock().unwrap().len()
    }

    /// The header `name` of each call, in order.
    pub(crate) fn header(&self, name: &str) -> Vec<Option<String>> {
        let of = |call: &String| {
            let mut lines = call.lines().filter_map(|line| line.split_once(": "));
            let (_, value) = lines.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
            Some(value.to_owned())
        };
        self.heard.lock().unwrap().iter().map(of).collect()
    }

    pub(crate) fn say(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    async fn serve(delay: Duration, status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let worker = Self {
            address: listener.local_addr().unwrap(),
            heard: Arc::default(),
            status: Arc::new(AtomicU16::new(status)),
        };
        let (heard, status) = (Arc::clone(&worker.heard), Arc::clone(&worker.status));
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (heard, status) = (Arc::clone(&heard), Arc::clone(&status));
                tokio::spawn(async move {
                    let mut request = [0; 2048];
                    let length = stream.read(&mut request).await.unwrap_or(0);
                    if length == 0 {
                        return;
                    }
                    let request = String::from_utf8_lossy(&request[..length]);
                    heard.lock().unwrap().push(request.into_owned());
                    tokio::time::sleep(delay).await;
                    let status = status.load(Ordering::SeqCst);
                    let body = r#"{"status":"done"}"#;
                    let answer = format!(
                        "HTTP/1.1 {status} Said\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    let _ = stream.write_all(answer.as_bytes()).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        worker
    }
}
