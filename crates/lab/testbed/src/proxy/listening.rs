//! The listening side: opens and closes the port without ever giving it up, and owns the connections.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::{io, mem};

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::counters::Counters;
use super::syn_drop::SynDrop;
use super::{Fault, Order, connection};

const BACKLOG: u32 = 1024;
/// An error belongs to one connection that died in the queue, or to this process having no file left: that lasts, and must not
/// be asked for a million times a second.
pub const AFTER_AN_ERROR: Duration = Duration::from_millis(20);

/// How often a port is asked for that is taken, and how long between.
const TRIES: u32 = 20;
const BETWEEN_TRIES: Duration = Duration::from_millis(5);

/// A port that is either open or held shut.
pub(super) struct Listener {
    pub(super) addr: SocketAddr,
    state: State,
    syn_drop: SynDrop,
}

enum State {
    Open(TcpListener),
    /// Bound but not listening: connections are refused, and nobody else can take the port.
    Shut(TcpSocket),
    /// The port could not be had back; tried again at the next fault.
    Lost,
}

impl Listener {
    pub(super) async fn open(addr: SocketAddr) -> io::Result<Self> {
        let socket = bind(addr).await?;
        let addr = socket.local_addr()?;
        Ok(Self {
            addr,
            state: State::Open(socket.listen(BACKLOG)?),
            syn_drop: SynDrop::default(),
        })
    }

    /// Accepts connections and applies orders until its task is aborted or the proxy is dropped.
    pub(super) async fn keep(
        mut self,
        upstream: Arc<str>,
        mut orders: watch::Receiver<Order>,
        acknowledge: watch::Sender<Order>,
        counters: Arc<Counters>,
    ) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                order = orders.changed() => {
                    if order.is_err() {
                        return;
                    }
                    let order = *orders.borrow_and_update();
                    self.apply(order.fault).await;
                    if order.fault == Fault::Refuse {
                        // Each connection resets its client when its task is dropped.
                        connections.shutdown().await;
                    }
                    acknowledge.send_replace(order);
                }
                client = self.accept() => {
                    counters.accepted.fetch_add(1, Ordering::Relaxed);
                    let upstream = Arc::clone(&upstream);
                    let served = connection::serve(client, upstream, orders.clone(), Arc::clone(&counters));
                    connections.spawn(served);
                }
                Some(_) = connections.join_next() => {}
            }
        }
    }

    async fn accept(&mut self) -> TcpStream {
        let State::Open(listener) = &self.state else {
            return pending().await;
        };
        if self.syn_drop.kept {
            return pending().await;
        }
        loop {
            match listener.accept().await {
                Ok((client, peer)) if !self.syn_drop.was_ours(peer) => return client,
                Ok(_) => {}
                Err(_) => sleep(AFTER_AN_ERROR).await,
            }
        }
    }

    async fn apply(&mut self, fault: Fault) {
        if fault == Fault::Refuse {
            self.syn_drop.forget();
            self.shut().await;
            return;
        }
        self.reopen().await;
        if let State::Open(listener) = &self.state {
            if fault == Fault::Blackhole {
                self.syn_drop.keep(listener, self.addr).await;
            } else {
                self.syn_drop.end(listener, BACKLOG);
            }
        }
    }

    async fn shut(&mut self) {
        self.state = State::Lost;
        self.state = bind(self.addr).await.map_or(State::Lost, State::Shut);
    }

    async fn reopen(&mut self) {
        self.state = match mem::replace(&mut self.state, State::Lost) {
            State::Open(listener) => State::Open(listener),
            State::Shut(socket) => socket.listen(BACKLOG).map_or(State::Lost, State::Open),
            State::Lost => bind(self.addr)
                .await
                .and_then(|socket| socket.listen(BACKLOG))
                .map_or(State::Lost, State::Open),
        };
    }
}

/// A process that another thread is about to start has a copy of every socket until it becomes its program: a port that was
/// let go just now is taken for that long.
async fn bind(addr: SocketAddr) -> io::Result<TcpSocket> {
    for _ in 0..TRIES {
        match bind_now(addr) {
            Err(taken) if taken.kind() == io::ErrorKind::AddrInUse => sleep(BETWEEN_TRIES).await,
            bound => return bound,
        }
    }
    bind_now(addr)
}

fn bind_now(addr: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match addr {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // Connections of the listener before may linger in TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    Ok(socket)
}
