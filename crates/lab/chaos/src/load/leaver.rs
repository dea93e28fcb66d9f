//! A client that leaves in the middle of its call: the connection is reset (RST), as when its process is killed or a gateway
//! gives it up. A client that only closes its side (FIN) is not noticed by a server that is busy with its request.

use std::io::{self, ErrorKind};

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};

use super::Completion;

/// Asks, and is gone at `until`, whatever has come by then.
pub(super) async fn ask(url: &str, key: &str, body: Option<&Value>, until: Instant) -> Completion {
    match send(url, key, body).await {
        Ok(connection) => {
            sleep_until(until).await;
            // Fails only on a socket that is already dead.
            let _ = connection.set_zero_linger();
            Completion::Left
        }
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Completion::Refused,
        Err(_) => Completion::Reset,
    }
}

async fn send(url: &str, key: &str, body: Option<&Value>) -> io::Result<TcpStream> {
    let (host, path) = parts(url);
    let mut connection = TcpStream::connect(host).await?;
    let method = if body.is_some() { "POST" } else { "GET" };
    let body = body.map_or_else(String::new, Value::to_string);
    let length = body.len();
    let request = format!(
        "{method} /{path} HTTP/1.1\r\nhost: {host}\r\nidempotency-key: {key}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    connection.write_all(request.as_bytes()).await?;
    Ok(connection)
}

/// `HOST:PORT`, and the path without its first slash.
fn parts(url: &str) -> (&str, &str) {
    let rest = url.strip_prefix("http://").unwrap_or(url);
    rest.split_once('/').unwrap_or((rest, ""))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn it_sends_a_whole_request_and_resets_the_connection_when_it_leaves() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/process", listener.local_addr().unwrap());
        let until = Instant::now() + Duration::from_millis(100);
        let body = json!({"number": 7});
        let (end, (seen, broken)) = tokio::join!(ask(&url, "a-7", Some(&body), until), async {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut seen = vec![0; 4096];
            let length = connection.read(&mut seen).await.unwrap();
            let broken = connection.read(&mut [0; 16]).await;
            (
                String::from_utf8_lossy(&seen[..length]).into_owned(),
                broken,
            )
        });
        assert_eq!(end, Completion::Left);
        assert!(seen.starts_with("POST /process HTTP/1.1\r\n"), "{seen}");
        assert!(seen.contains("idempotency-key: a-7\r\n") && seen.ends_with("{\"number\":7}"));
        assert_eq!(broken.unwrap_err().kind(), ErrorKind::ConnectionReset);
    }

    #[tokio::test]
    async fn where_nobody_listens_it_is_refused() {
        let port = crate::ports::free().unwrap();
        let url = format!("http://127.0.0.1:{port}/process");
        let end = ask(&url, "k", Some(&json!({})), Instant::now()).await;
        assert_eq!(end, Completion::Refused);
    }
}
