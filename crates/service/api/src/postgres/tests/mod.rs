//! Sessions against a real Postgres, over a wire that breaks.

mod hosts;
mod pool;
mod pooler;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use holdfast_testbed::postgres::Cluster;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_postgres::NoTls;

use super::error::DatabaseError;
use super::{Database, PoolLimits, PoolOptions, Sessions};
use crate::resolver::Resolver;

/// Slow enough for a busy machine.
const CONNECT: Duration = Duration::from_secs(2);
const LIMITS: PoolLimits = PoolLimits {
    max_wait: Duration::from_millis(500),
    connect_timeout: CONNECT,
    statement_limit: Duration::from_secs(2),
    lock_limit: Duration::from_millis(500),
    idle_timeout: Duration::from_secs(60),
    max_lifetime: Duration::from_secs(1800),
};

async fn cluster() -> Cluster {
    Cluster::start().await.unwrap()
}

fn sessions(url: &str) -> Sessions {
    with_limits(url, LIMITS)
}

fn with_limits(url: &str, limits: PoolLimits) -> Sessions {
    with_resolver(url, limits, Resolver::new(Handle::current(), None))
}

fn with_resolver(url: &str, limits: PoolLimits, resolver: Resolver) -> Sessions {
    let database = Database::parse(url).unwrap();
    let options = PoolOptions {
        role: "test",
        max_size: 4,
        limits: Some(limits),
    };
    Sessions::new(&database, options, resolver, Handle::current()).unwrap()
}

/// The answer to `statement`, which has one column of one row.
async fn ask(sessions: &Sessions, statement: &str) -> Result<String, DatabaseError> {
    let session = sessions.acquire().await?;
    let outcome = async {
        let prepared = session.prepare_cached(statement).await?;
        session.query_one(&prepared, &[]).await?.try_get(0)
    }
    .await;
    session.finish(outcome)
}

/// Which server process answers: another one in each session.
async fn pid(sessions: &Sessions) -> Result<String, DatabaseError> {
    ask(sessions, "select pg_backend_pid()::text").await
}

/// A connection that no test breaks.
async fn sql(cluster: &Cluster, statements: &[&str]) {
    let connected = tokio_postgres::connect(&cluster.url(), NoTls).await;
    let (client, connection) = connected.unwrap();
    tokio::spawn(connection);
    for statement in statements {
        client.batch_execute(statement).await.unwrap();
    }
}

/// A wire that forgets its connections on command, as a firewall does; new ones pass.
struct Forwarder {
    address: SocketAddr,
    forget: Arc<watch::Sender<u32>>,
}

impl Forwarder {
    async fn start(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let forget = Arc::new(watch::Sender::new(0));
        let told = forget.clone();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut forgotten = told.subscribe();
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(upstream).await.unwrap();
                    tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut server) => {}
                        // Neither end hears of it.
                        _ = forgotten.changed() => std::future::pending().await,
                    }
                });
            }
        });
        Self { address, forget }
    }

    fn forget_all(&self) {
        self.forget.send_modify(|times| *times += 1);
    }
}

/// An address that answers no SYN: its backlog of one is full. What keeps it so comes with it.
async fn silent(address: SocketAddr) -> (SocketAddr, Vec<TcpStream>) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(address).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut held = Vec::new();
    let limit = Duration::from_millis(300);
    while let Ok(stream) = tokio::time::timeout(limit, TcpStream::connect(address)).await {
        held.push(stream.unwrap());
    }
    // Never accepted, never closed.
    std::mem::forget(listener);
    (address, held)
}
