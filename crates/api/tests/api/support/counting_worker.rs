//! A worker that counts its calls and answers with the status it is told: what the real one cannot be made to do.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

pub(crate) struct CountingWorker {
    address: SocketAddr,
    calls: Arc<AtomicUsize>,
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
        self.calls.load(Ordering::SeqCst)
    }

    pub(crate) fn say(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    async fn serve(delay: Duration, status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let worker = Self {
            address: listener.local_addr().unwrap(),
            calls: Arc::default(),
            status: Arc::new(AtomicU16::new(status)),
        };
        let (calls, status) = (Arc::clone(&worker.calls), Arc::clone(&worker.status));
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (calls, status) = (Arc::clone(&calls), Arc::clone(&status));
                tokio::spawn(async move {
                    if stream.read(&mut [0; 1024]).await.unwrap_or(0) == 0 {
                        return;
                    }
                    calls.fetch_add(1, Ordering::SeqCst);
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
