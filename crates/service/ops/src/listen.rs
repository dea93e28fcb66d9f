//! A listening socket that takes a burst.

use std::io;
use std::net::{SocketAddr, TcpListener};

use tokio::net::TcpSocket;

/// Connections that may wait to be accepted. The usual 128 overflow when a few hundred callers come at once, after an
/// outage say; what overflows is tried again by the callers' kernels a second later, and so looks like a dead service.
const BACKLOG: u32 = 4096;
/// What the kernel holds of an answer that its client does not take, per connection; left alone it grows to megabytes.
const SEND_BUFFER: u32 = 32 * 1024;
/// After which a client whose machine is gone, and so acknowledges nothing, counts as gone; the kernel's own patience is a
/// quarter of an hour.
#[cfg(target_os = "linux")]
const SILENCE_LIMIT_MS: u32 = 20_000;

/// Listens on `address`; port 0 takes a free one. Must be called inside a runtime.
///
/// # Errors
/// When the address cannot be had.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    // As the standard library does: a restart need not wait for old connections to be forgotten.
    socket.set_reuseaddr(true)?;
    // What is accepted inherits these.
    socket.set_send_buffer_size(SEND_BUFFER)?;
    #[cfg(target_os = "linux")]
    rustix::net::sockopt::set_tcp_user_timeout(&socket, SILENCE_LIMIT_MS)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn hundreds_may_come_at_once_before_anybody_is_accepted() {
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = listener.local_addr().unwrap();
        // Less than a kernel waits before it tries again what overflowed.
        let within = Duration::from_millis(500);
        let callers: Vec<_> = (0..600)
            .map(|_| TcpStream::connect_timeout(&address, within))
            .collect();
        assert!(callers.iter().all(Result::is_ok));
    }
}
