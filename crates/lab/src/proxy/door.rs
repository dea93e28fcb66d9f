//! The listening side: opens and closes the port without ever giving it up, and owns the connections.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{io, mem};

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Fault, connection};
use crate::ports;

const BACKLOG: u32 = 1024;

/// A port that is either open or held shut.
pub(super) struct Door {
    addr: SocketAddr,
    state: State,
}

enum State {
    Open(TcpListener),
    /// Bound but not listening: connections are refused, and nobody else can take the port.
    Shut(TcpSocket),
    /// The port could not be had back; tried again at the next fault.
    Lost,
}

impl Door {
    pub(super) fn open() -> io::Result<Self> {
        let socket = bind(ports::loopback(ports::free()?))?;
        let addr = socket.local_addr()?;
        Ok(Self {
            addr,
            state: State::Open(socket.listen(BACKLOG)?),
        })
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Accepts connections and applies orders until its task is aborted or the proxy is dropped.
    pub(super) async fn keep(
        mut self,
        upstream: SocketAddr,
        mut orders: watch::Receiver<Fault>,
        acknowledge: watch::Sender<Fault>,
        accepted: Arc<AtomicU64>,
    ) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                order = orders.changed() => {
                    if order.is_err() {
                        return;
                    }
                    let fault = *orders.borrow_and_update();
                    if fault == Fault::Refuse {
                        self.shut();
                        // Each connection resets its client when its task is dropped.
                        connections.shutdown().await;
                    } else {
                        self.reopen();
                    }
                    acknowledge.send_replace(fault);
                }
                client = self.accept() => {
                    accepted.fetch_add(1, Ordering::Relaxed);
                    connections.spawn(connection::serve(client, upstream, orders.clone()));
                }
                Some(_) = connections.join_next() => {}
            }
        }
    }

    async fn accept(&self) -> TcpStream {
        let State::Open(listener) = &self.state else {
            return pending().await;
        };
        loop {
            // An error here belongs to one connection that died in the queue.
            if let Ok((client, _)) = listener.accept().await {
                return client;
            }
        }
    }

    fn shut(&mut self) {
        if let State::Open(listener) = mem::replace(&mut self.state, State::Lost) {
            drop(listener);
        }
        self.state = bind(self.addr).map_or(State::Lost, State::Shut);
    }

    fn reopen(&mut self) {
        self.state = match mem::replace(&mut self.state, State::Lost) {
            State::Open(listener) => State::Open(listener),
            State::Shut(socket) => socket.listen(BACKLOG).map_or(State::Lost, State::Open),
            State::Lost => bind(self.addr)
                .and_then(|socket| socket.listen(BACKLOG))
                .map_or(State::Lost, State::Open),
        };
    }
}

fn bind(addr: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // Connections of the listener before may linger in TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    Ok(socket)
}
