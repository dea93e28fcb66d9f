//! The client's side of a connection, and how it ends.

use tokio::net::TcpStream;

/// A client that is reset (RST) when dropped, unless the connection came to a clean end.
pub(super) struct Client {
    pub(super) stream: TcpStream,
    pub(super) ended_clean: bool,
}

impl Client {
    pub(super) fn new(stream: TcpStream) -> Self {
        // Fails only on a socket that is already dead.
        let _ = stream.set_nodelay(true);
        Self {
            stream,
            ended_clean: false,
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if !self.ended_clean {
            // Fails only on a socket that is already dead.
            let _ = self.stream.set_zero_linger();
        }
    }
}
