//! One connection: plays the fault in force, and changes its conduct when the fault changes.

use std::future::pending;
use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::Fault;
use super::flow::Flow;

/// Neither an HTTP status line nor a Postgres message: its length field is zero, and a length counts itself.
const GARBAGE: [u8; 16] = [
    0xfe, 0, 0, 0, 0, 0xff, 0xfe, 0xfd, 0, 0, 0, 0, 0xfc, 0xfb, 0xfa, 0xf9,
];

/// Serves `client` until it or the upstream ends, a fault ends it, or the task is dropped.
pub(super) async fn serve(
    client: TcpStream,
    upstream: SocketAddr,
    mut faults: watch::Receiver<Fault>,
) {
    let mut link = Link {
        client: Client {
            stream: client,
            ended_clean: false,
        },
        server: None,
        asked: Flow::new(),
        answered: Flow::new(),
    };
    loop {
        let fault = *faults.borrow_and_update();
        tokio::select! {
            biased;
            changed = faults.changed() => if changed.is_err() { return },
            () = link.play(fault, upstream) => return,
        }
    }
}

struct Link {
    client: Client,
    server: Option<TcpStream>,
    asked: Flow,
    answered: Flow,
}

impl Link {
    /// Returns when the connection is over; only a clean end spares the client the reset.
    async fn play(&mut self, fault: Fault, upstream: SocketAddr) {
        let over = match fault {
            Fault::None => self.forward(upstream, usize::MAX).await,
            Fault::Reset { after } => self.forward(upstream, after).await,
            Fault::Garbage => self.answer_garbage().await,
            Fault::Hang => pending().await,
            Fault::Refuse => Ok(End::Reset),
        };
        if let Ok(End::Clean) = over {
            self.client.ended_clean = true;
        }
    }

    async fn forward(&mut self, upstream: SocketAddr, mut allowance: usize) -> io::Result<End> {
        if allowance == 0 {
            return Ok(End::Reset);
        }
        if self.server.is_none() {
            self.server = Some(TcpStream::connect(upstream).await?);
        }
        let Some(server) = self.server.as_mut() else {
            return Ok(End::Reset);
        };
        server.set_nodelay(true)?;
        self.client.stream.set_nodelay(true)?;
        let (mut from_client, mut to_client) = self.client.stream.split();
        let (mut from_server, mut to_server) = server.split();
        let mut unlimited = usize::MAX;
        let ask = self
            .asked
            .run(&mut from_client, &mut to_server, &mut unlimited);
        let answer = self
            .answered
            .run(&mut from_server, &mut to_client, &mut allowance);
        tokio::pin!(ask);
        // The answer's end is the connection's end: a server that has finished wants nothing more.
        let done = tokio::select! {
            done = answer => done,
            Err(broken) = &mut ask => Err(broken),
        };
        done.map(|()| {
            if allowance == 0 {
                End::Reset
            } else {
                End::Clean
            }
        })
    }

    async fn answer_garbage(&mut self) -> io::Result<End> {
        let client = &mut self.client.stream;
        let mut ignored = [0; 1024];
        if client.read(&mut ignored).await? > 0 {
            client.write_all(&GARBAGE).await?;
            client.shutdown().await?;
            // Closing with unread input would turn the close into a reset and could destroy the garbage on its way.
            while client.read(&mut ignored).await? > 0 {}
        }
        Ok(End::Clean)
    }
}

enum End {
    Clean,
    Reset,
}

/// A client that is reset (RST) when dropped, unless the connection came to a clean end.
struct Client {
    stream: TcpStream,
    ended_clean: bool,
}

impl Drop for Client {
    fn drop(&mut self) {
        if !self.ended_clean {
            // Fails only on a socket that is already dead.
            let _ = self.stream.set_zero_linger();
        }
    }
}
