//! How a session with Postgres is opened and checked, for the pool.

use std::io;
use std::net::SocketAddr;

use deadpool::managed::{Manager, Metrics, RecycleError, RecycleResult};
use deadpool_postgres::ClientWrapper;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio_postgres::config::Host;
use tokio_postgres::{Config, NoTls};

use crate::resolver::{ResolveError, Resolver};

/// A session and where it leads, so that a statement of it can be cancelled there.
pub(super) struct Connection {
    pub(super) client: ClientWrapper,
    pub(super) peer: SocketAddr,
}

/// Why a session cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Its name has no address.
    #[error("the database's name does not resolve")]
    Resolve(#[from] ResolveError),
    /// No TCP connection.
    #[error("the database cannot be reached")]
    Tcp(#[source] io::Error),
    /// The server refused the session, or spoke nonsense.
    #[error("the database refused the session")]
    Session(#[source] tokio_postgres::Error),
}

/// Opens sessions. Differs from deadpool-postgres' own manager in three points: names go through the bounded resolver,
/// each kind of failure keeps its type, and a session's task lives on the main runtime, not on that of the HTTP thread
/// which happened to open it.
pub(super) struct SessionManager {
    config: Config,
    host: String,
    port: u16,
    resolver: Resolver,
    runtime: Handle,
}

impl SessionManager {
    pub(super) fn new(config: Config, resolver: Resolver, runtime: Handle) -> Self {
        let host = match config.get_hosts() {
            [Host::Tcp(host), ..] => host.clone(),
            _ => "localhost".to_owned(),
        };
        let port = config.get_ports().first().copied().unwrap_or(5432);
        Self {
            config,
            host,
            port,
            resolver,
            runtime,
        }
    }

    async fn connect(&self) -> Result<TcpStream, ConnectError> {
        let addresses = self.resolver.resolve(&self.host).await?;
        let sockets: Vec<_> = addresses
            .iter()
            .map(|ip| SocketAddr::new(*ip, self.port))
            .collect();
        let stream = TcpStream::connect(&sockets[..])
            .await
            .map_err(ConnectError::Tcp)?;
        stream.set_nodelay(true).map_err(ConnectError::Tcp)?;
        Ok(stream)
    }
}

impl Manager for SessionManager {
    type Type = Connection;
    type Error = ConnectError;

    async fn create(&self) -> Result<Connection, ConnectError> {
        let stream = self.connect().await?;
        let peer = stream.peer_addr().map_err(ConnectError::Tcp)?;
        let (client, connection) = self
            .config
            .connect_raw(stream, NoTls)
            .await
            .map_err(ConnectError::Session)?;
        let task = self.runtime.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a database session ended");
            }
        });
        Ok(Connection {
            client: ClientWrapper::new(client, task),
            peer,
        })
    }

    async fn recycle(
        &self,
        connection: &mut Connection,
        _: &Metrics,
    ) -> RecycleResult<ConnectError> {
        if connection.client.is_closed() {
            return Err(RecycleError::message("the session is closed"));
        }
        Ok(())
    }
}
