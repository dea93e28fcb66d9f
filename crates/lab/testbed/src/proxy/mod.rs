//! A TCP fault proxy: stands before a real server and breaks the link on command.
//!
//! Invariants: the port stays the same through every fault; connections that exist when a fault is set do not escape
//! it, nor does a request that waits for its answer; what was read but not yet forwarded when a fault begins is kept,
//! not lost, when the fault ends. It knows no protocol but what it answers itself.

mod connection;
mod counters;
mod exchange;
mod fault;
mod flow;
mod listening;
mod syn_drop;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::{fmt, io};

use tokio::sync::watch;
use tokio::task::AbortHandle;

pub use fault::Fault;
pub use listening::AFTER_AN_ERROR;

use crate::ports;
use counters::Counters;
use listening::Listener;

/// A proxy on a port of its own. Dropping it resets every connection and frees the port.
pub struct FaultProxy {
    addr: SocketAddr,
    wanted: watch::Sender<Order>,
    in_force: watch::Receiver<Order>,
    counters: Arc<Counters>,
    task: AbortHandle,
}

/// A fault, and the how-manieth it is: the same fault set twice is two orders.
#[derive(Debug, Clone, Copy, Default)]
struct Order {
    number: u64,
    fault: Fault,
}

impl FaultProxy {
    /// Listens on a free loopback port and forwards to `upstream`, which need not be there yet. What is random is
    /// seeded with 0.
    pub async fn start(upstream: SocketAddr) -> io::Result<Self> {
        let addr = ports::loopback(ports::free()?);
        Self::listen(addr, &upstream.to_string(), 0).await
    }

    /// Listens on `addr` and forwards to `upstream`, `host:port`, which need not be there yet: its name is looked up for
    /// each connection. `seed` decides which requests a share is.
    pub async fn listen(addr: SocketAddr, upstream: &str, seed: u64) -> io::Result<Self> {
        let listening = Listener::open(addr).await?;
        let addr = listening.addr;
        let (wanted, orders) = watch::channel(Order::default());
        let (acknowledge, in_force) = watch::channel(Order::default());
        let counters = Arc::new(Counters::new(seed));
        let keeper = listening.keep(upstream.into(), orders, acknowledge, Arc::clone(&counters));
        let task = tokio::spawn(keeper).abort_handle();
        Ok(Self {
            addr,
            wanted,
            in_force,
            counters,
            task,
        })
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Connections accepted since the start. What the kernel queued while the port was closing is not counted.
    pub fn accepted(&self) -> u64 {
        self.counters.accepted.load(Ordering::Relaxed)
    }

    /// Requests seen since the start, also those that a fault swallowed or answered: bytes from a client that was not
    /// waiting for an answer. A client whose connection was refused, or got no answer to its SYN, could not make one.
    pub fn requests(&self) -> u64 {
        self.counters.requests.load(Ordering::Relaxed)
    }

    /// Sets the fault, in place of the one before, and returns when it is in force.
    pub async fn set(&self, fault: Fault) {
        let mut number = 0;
        self.wanted.send_modify(|order| {
            number = order.number + 1;
            *order = Order { number, fault };
        });
        let mut in_force = self.in_force.clone();
        // An error means that the keeper is gone, which happens only when its runtime shuts down.
        let _ = in_force.wait_for(|order| order.number >= number).await;
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
            .field("fault", &self.in_force.borrow().fault)
            .finish_non_exhaustive()
    }
}
