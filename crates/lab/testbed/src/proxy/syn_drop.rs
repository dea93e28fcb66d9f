//! A listening port whose kernel drops every SYN, as if the packets were lost on the way.
//!
//! Linux drops the SYN of a connection for which a listener's queue has no room, and says nothing. A listener with a
//! backlog of zero has room for one connection; so we make that one ourselves and never accept it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// A connection over loopback takes microseconds; what takes this long was dropped.
const CONNECTED_WITHIN: Duration = Duration::from_millis(100);
/// Dropped this often in a row: full, and not this machine busy.
const DROPPED: u32 = 2;

/// The connections that fill a listener's queue.
#[derive(Default)]
pub(super) struct SynDrop {
    pub(super) kept: bool,
    fillers: Vec<TcpStream>,
    /// The fillers' addresses, of those that the listener has not met yet.
    ours: Vec<SocketAddr>,
}

impl SynDrop {
    /// Returns when the kernel of `listener`, which is bound to `addr`, drops what comes.
    pub(super) async fn keep(&mut self, listener: &TcpListener, addr: SocketAddr) {
        self.kept = true;
        // It fails only on a socket that does not listen.
        let _ = rustix::net::listen(listener, 0);
        let mut dropped = 0;
        while dropped < DROPPED {
            match timeout(CONNECTED_WITHIN, TcpStream::connect(reachable(addr))).await {
                Ok(Ok(filler)) => {
                    self.ours.extend(filler.local_addr());
                    self.fillers.push(filler);
                    dropped = 0;
                }
                Ok(Err(_)) | Err(_) => dropped += 1,
            }
        }
    }

    /// Gives the listener its queue back. Those that waited in it are to be accepted, but for [`Self::was_ours`].
    pub(super) fn end(&mut self, listener: &TcpListener, backlog: u32) {
        if self.kept {
            let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
            let _ = rustix::net::listen(listener, backlog);
            self.fillers.clear();
            self.kept = false;
        }
    }

    /// The listener is gone, and its queue with it.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Whether the connection from `peer` was made to fill the queue. Each is asked after once.
    pub(super) fn was_ours(&mut self, peer: SocketAddr) -> bool {
        let found = self.ours.iter().position(|ours| *ours == peer);
        found.map(|index| self.ours.swap_remove(index)).is_some()
    }
}

/// A wildcard address is bound to, not connected to.
fn reachable(bound: SocketAddr) -> SocketAddr {
    let ip = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, bound.port())
}
