//! A TCP fault proxy: stands before a real server and breaks the wire on command.
//!
//! Invariants: the port stays the same through every fault; connections that exist when a fault is set do not escape
//! it; what was read but not yet forwarded when a fault begins is kept, not lost, when the fault ends.

mod connection;
mod door;
mod flow;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{fmt, io};

use tokio::sync::watch;
use tokio::task::AbortHandle;

use door::Door;

/// What the wire does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fault {
    /// Everything is forwarded.
    #[default]
    None,
    /// The port refuses connections; existing ones are reset.
    Refuse,
    /// Connections are accepted, and nothing is forwarded in either direction: what a stopped process looks like.
    Hang,
    /// The connection is reset (RST) once `after` bytes of the upstream's answer have passed since the fault was set.
    Reset {
        /// Bytes of answer let through on each connection.
        after: usize,
    },
    /// Whatever the client says is answered with bytes of no protocol, then the connection is closed.
    Garbage,
}

/// A proxy on a loopback port of its own. Dropping it resets every connection and frees the port.
pub struct FaultProxy {
    addr: SocketAddr,
    wanted: watch::Sender<Fault>,
    in_force: watch::Receiver<Fault>,
    accepted: Arc<AtomicU64>,
    task: AbortHandle,
}

impl FaultProxy {
    /// Listens on a free loopback port and forwards to `upstream`, which need not be there yet.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start(upstream: SocketAddr) -> io::Result<Self> {
        let door = Door::open()?;
        let addr = door.addr();
        let (wanted, orders) = watch::channel(Fault::None);
        let (acknowledge, in_force) = watch::channel(Fault::None);
        let accepted = Arc::new(AtomicU64::new(0));
        let keeper = door.keep(upstream, orders, acknowledge, Arc::clone(&accepted));
        let task = tokio::spawn(keeper).abort_handle();
        Ok(Self {
            addr,
            wanted,
            in_force,
            accepted,
            task,
        })
    }

    /// Where clients connect.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Connections accepted since the start. What the kernel queued while the port was closing is not counted.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Sets the fault, in place of the one before, and returns when it is in force.
    pub async fn set(&self, fault: Fault) {
        self.wanted.send_replace(fault);
        let mut in_force = self.in_force.clone();
        // An error means that the keeper is gone, which happens only when its runtime shuts down.
        let _ = in_force.wait_for(|now| *now == fault).await;
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for FaultProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultProxy")
            .field("addr", &self.addr)
            .field("fault", &*self.in_force.borrow())
            .finish_non_exhaustive()
    }
}
