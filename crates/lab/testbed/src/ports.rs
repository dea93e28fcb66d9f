//! Ports on the loopback address: finding a free one.
//!
//! The kernel's own choice (port 0) comes from the range it also uses for outgoing connections. A listener that goes
//! away and returns to such a port can find it taken by a client, and a client that calls it meanwhile can even connect
//! to itself (TCP's simultaneous open). So ports that must survive their listener are chosen below that range.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::{io, ops::Range};

/// Below Linux's default range of ephemeral ports (32768 and up), above the ports that services are known by.
const STEADY: Range<u16> = 20_000..32_000;
const TRIES: u32 = 64;
/// Where the next look begins: this process never hands out a port twice before it has been through all of them. Between the
/// choice of a port and its use another of its tests would else find it free.
static NEXT: LazyLock<AtomicU16> =
    LazyLock::new(|| AtomicU16::new(fastrand::u16(0..STEADY.end - STEADY.start)));

/// `127.0.0.1:port`.
pub fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// A loopback port on which nobody listens now and which the kernel will not hand to a client.
pub fn free() -> io::Result<u16> {
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..TRIES {
        let port =
            STEADY.start + NEXT.fetch_add(1, Ordering::Relaxed) % (STEADY.end - STEADY.start);
        match TcpListener::bind(loopback(port)) {
            Ok(_) => return Ok(port),
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_port_can_be_bound_and_is_not_ephemeral() {
        let port = free().unwrap();
        assert!(STEADY.contains(&port));
        TcpListener::bind(loopback(port)).unwrap();
    }

    #[test]
    fn no_port_is_handed_out_twice_in_a_row_though_nobody_uses_it_yet() {
        let handed_out: std::collections::HashSet<_> = (0..100).map(|_| free().unwrap()).collect();
        assert_eq!(handed_out.len(), 100);
    }
}
