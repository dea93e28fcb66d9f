//! The server.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedSender;

const ANSWER: &str = r#"{"request_id":"0198c0de-0000-7000-8000-000000000000","worker_response":null,"recorded_in":"database","degraded":[{"code":"worker_unavailable","reason":"circuit_open"}]}"#;

/// A server that answers, hangs or resets, by the request's number, and tells who closed on it without an answer.
pub(super) async fn serve(
    acts: impl Fn(u64) -> Act + Send + Copy + 'static,
    gone: UnboundedSender<u64>,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let gone = gone.clone();
            tokio::spawn(async move { attend(stream, acts, gone).await });
        }
    });
    url
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Act {
    Answer,
    Hang,
    Reset,
}

async fn attend(mut stream: TcpStream, acts: impl Fn(u64) -> Act, gone: UnboundedSender<u64>) {
    let Some((head, body)) = request(&mut stream).await else {
        return;
    };
    let number = body["number"].as_u64().unwrap();
    let key = body["key"].as_str().unwrap();
    assert!(
        head.contains(key) && key.ends_with(&format!("-{number}")),
        "{head}"
    );
    match acts(number) {
        Act::Answer => {
            let length = ANSWER.len();
            let head = format!("HTTP/1.1 202 Accepted\r\ncontent-length: {length}\r\n\r\n");
            stream
                .write_all(format!("{head}{ANSWER}").as_bytes())
                .await
                .unwrap();
        }
        Act::Hang => {
            // Nothing more comes from a client that waits: an end, when it closes.
            let _ = stream.read(&mut [0; 64]).await;
            let _ = gone.send(number);
        }
        Act::Reset => stream.set_zero_linger().unwrap(),
    }
}

pub(super) async fn request(stream: &mut TcpStream) -> Option<(String, Value)> {
    let mut read = Vec::new();
    loop {
        if stream.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&read).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        if let Ok(body) = serde_json::from_str(body) {
            return Some((head.to_owned(), body));
        }
    }
}
