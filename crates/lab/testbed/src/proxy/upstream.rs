//! Reaching the real server, wherever its name leads now.

use std::io;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

/// For the name and the connection together: what nobody answers must not hold a client for the kernel's two minutes.
const REACHED_WITHIN: Duration = Duration::from_secs(2);

/// Connects to `upstream` (`host:port`), its name looked up anew: a container that was replaced has a new address.
pub(super) async fn connect(upstream: &str) -> io::Result<TcpStream> {
    let stream = timeout(REACHED_WITHIN, TcpStream::connect(upstream)).await??;
    stream.set_nodelay(true)?;
    Ok(stream)
}
