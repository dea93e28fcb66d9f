//! The health check a service runs against itself: `GET /readyz` over a plain socket.
//!
//! Written on the socket because a health check must work in an image without a shell or curl, and must not pull an
//! HTTP client into a service that has none.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Why a service is not healthy.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// No answer within the limit: hung, paused or overloaded.
    #[error("{address} gave no answer within {limit:?}")]
    Timeout {
        /// Who was asked.
        address: SocketAddr,
        /// How long was waited.
        limit: Duration,
    },
    /// No connection, or it broke.
    #[error("{address} cannot be reached: {source}")]
    Io {
        /// Who was asked.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// It answered, and said no.
    #[error("{address} answered {status_line:?}")]
    NotReady {
        /// Who was asked.
        address: SocketAddr,
        /// The first line of the answer.
        status_line: String,
    },
}

/// Asks `GET /readyz` of the service bound to `bind` and returns when it says 200.
///
/// # Errors
/// When there is no answer within `limit`, or another one.
pub async fn ready(bind: SocketAddr, limit: Duration) -> Result<(), ProbeError> {
    let address = reachable(bind);
    let status_line = tokio::time::timeout(limit, status_line(address))
        .await
        .map_err(|_| ProbeError::Timeout { address, limit })?
        .map_err(|source| ProbeError::Io { address, source })?;
    if status_line.split(' ').nth(1) == Some("200") {
        Ok(())
    } else {
        Err(ProbeError::NotReady {
            address,
            status_line,
        })
    }
}

/// A wildcard address is bound to, not connected to.
fn reachable(bind: SocketAddr) -> SocketAddr {
    let ip = match bind.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, bind.port())
}

async fn status_line(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    stream.take(1024).read_to_end(&mut head).await?;
    let head = String::from_utf8_lossy(&head);
    Ok(head.lines().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    const LIMIT: Duration = Duration::from_secs(5);

    async fn server_saying(answer: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let read = stream.read(&mut [0; 1024]).await.unwrap();
            assert!(read > 0);
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        address
    }

    #[tokio::test]
    async fn a_200_is_healthy_and_a_503_is_not() {
        let healthy = server_saying("HTTP/1.1 200 OK\r\n\r\n").await;
        ready(healthy, LIMIT).await.unwrap();
        let draining = server_saying("HTTP/1.1 503 Service Unavailable\r\n\r\n").await;
        assert!(matches!(
            ready(draining, LIMIT).await,
            Err(ProbeError::NotReady { .. })
        ));
    }

    #[tokio::test]
    async fn a_closed_port_and_a_silent_one_are_told_apart() {
        let closed = TcpListener::bind("127.0.0.1:0")
            .await
            .unwrap()
            .local_addr()
            .unwrap();
        assert!(matches!(
            ready(closed, LIMIT).await,
            Err(ProbeError::Io { .. })
        ));
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let answer = ready(silent.local_addr().unwrap(), Duration::from_millis(50)).await;
        assert!(matches!(answer, Err(ProbeError::Timeout { .. })));
    }

    #[test]
    fn a_wildcard_bind_is_probed_on_loopback() {
        assert_eq!(
            reachable("0.0.0.0:8080".parse().unwrap()).to_string(),
            "127.0.0.1:8080"
        );
        assert_eq!(
            reachable("[::]:8080".parse().unwrap()).to_string(),
            "[::1]:8080"
        );
        assert_eq!(
            reachable("10.0.0.7:1".parse().unwrap()).to_string(),
            "10.0.0.7:1"
        );
    }
}
