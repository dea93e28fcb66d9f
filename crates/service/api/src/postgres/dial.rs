//! Opening a session: over the hosts and the addresses behind each name, in turn, within one time for all of them.
//!
//! Each of those that are left gets an equal share of the time that is left, so that one that drops packets cannot use up
//! what the others need.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deadpool_postgres::ClientWrapper;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, SimpleQueryMessage};

use super::database::{Database, Target};
use super::error::ConnectError;
use super::nodes::Node;
use crate::resolver::Resolver;

/// A session and where it leads.
pub(super) struct Opened {
    pub(super) client: ClientWrapper,
    pub(super) peer: Peer,
}

/// Where a statement of a session can be cancelled.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    host: String,
}

/// Opens sessions. To be used on the main runtime, where what it opens shall live.
pub(super) struct Dialer {
    database: Database,
    resolver: Resolver,
    runtime: Handle,
    limit: Option<Duration>,
    /// The address that answered last: addresses behind one name are alike, and one of them may be dead for long.
    last: Mutex<Option<IpAddr>>,
    /// The host that hung last, of several: a primary that was replaced and does not know passes every check, and commits
    /// nothing more.
    hung: Mutex<Option<(String, u16)>>,
}

impl Dialer {
    /// `limit` is for one session; the URL may have a shorter one.
    pub(super) fn new(
        database: Database,
        resolver: Resolver,
        runtime: Handle,
        limit: Option<Duration>,
    ) -> Self {
        let limits = [limit, database.connect_timeout()];
        Self {
            limit: limits.into_iter().flatten().min(),
            database,
            resolver,
            runtime,
            last: Mutex::default(),
            hung: Mutex::default(),
        }
    }

    /// A statement hung at `peer`: from now on it is tried after all others, and sessions that lead there are worth nothing.
    /// Where any server will do, or there is one only, there is nowhere else to go.
    pub(super) fn avoid(&self, peer: &Peer) {
        if self.database.nodes.len() > 1 && self.database.target != Target::Any {
            *self.hung() = Some((peer.host.clone(), peer.address.port()));
        }
    }

    /// Whether that is where a statement hung last.
    pub(super) fn avoids(&self, peer: &Peer) -> bool {
        self.is_hung(&peer.host, peer.address.port())
    }

    fn is_hung(&self, host: &str, port: u16) -> bool {
        let hung = self.hung();
        let hung = hung.as_ref();
        hung.is_some_and(|(name, number)| name == host && *number == port)
    }

    fn hung(&self) -> MutexGuard<'_, Option<(String, u16)>> {
        self.hung.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a session with the first that takes one.
    ///
    /// # Errors
    /// Why the last one did not; that there are servers but none for writing, if that is so.
    pub(super) async fn open(&self) -> Result<Opened, ConnectError> {
        let deadline = self.limit.map(|limit| Instant::now() + limit);
        let mut nodes: Vec<_> = self.database.nodes.iter().collect();
        if self.database.shuffled {
            fastrand::shuffle(&mut nodes);
        }
        nodes.sort_by_key(|node| self.is_hung(&node.host, node.port));
        let mut failure = None;
        for (index, node) in nodes.iter().enumerate() {
            let others = nodes.len() - index - 1;
            let error = match self.open_at(node, deadline, others).await {
                Ok(opened) => return Ok(opened),
                Err(error) => error,
            };
            // The next host would be told the same wrong password.
            if error.is_about_us() {
                return Err(error);
            }
            if !matches!(failure, Some(ConnectError::NotWritable)) {
                failure = Some(error);
            }
        }
        Err(failure.unwrap_or(ConnectError::Timeout))
    }

    async fn open_at(
        &self,
        node: &Node,
        deadline: Option<Instant>,
        others: usize,
    ) -> Result<Opened, ConnectError> {
        let addresses = within(share(deadline, others + 1), self.addresses(node)).await?;
        let mut failure = ConnectError::Timeout;
        for (index, ip) in addresses.iter().enumerate() {
            let left = addresses.len() - index + others;
            let address = SocketAddr::new(*ip, node.port);
            match within(share(deadline, left), self.session(node, address)).await {
                Ok(opened) => {
                    *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(*ip);
                    return Ok(opened);
                }
                Err(error) if error.is_about_us() => return Err(error),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Those of `node`; the one that answered last goes first.
    async fn addresses(&self, node: &Node) -> Result<Vec<IpAddr>, ConnectError> {
        if let Some(address) = node.address {
            return Ok(vec![address]);
        }
        let mut addresses = self.resolver.resolve(&node.host).await?.to_vec();
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        addresses.sort_by_key(|address| Some(*address) != last);
        Ok(addresses)
    }

    async fn session(&self, node: &Node, address: SocketAddr) -> Result<Opened, ConnectError> {
        match self.handshake(node, address, &self.database.config).await {
            Err(ConnectError::Tls(_)) if self.database.prefers_tls() => {
                let mut plain = self.database.config.clone();
                plain.ssl_mode(SslMode::Disable);
                self.handshake(node, address, &plain).await
            }
            outcome => outcome,
        }
    }

    async fn handshake(
        &self,
        node: &Node,
        address: SocketAddr,
        config: &Config,
    ) -> Result<Opened, ConnectError> {
        let stream = self.database.keep_alive.connect(address).await;
        let stream = stream.map_err(ConnectError::Tcp)?;
        let peer = Peer {
            address,
            host: node.host.clone(),
        };
        let tls = self.database.tls.connector(&node.host);
        let (client, connection) = config.connect_raw(stream, tls).await?;
        let task = self.runtime.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a database session ended");
            }
        });
        let client = ClientWrapper::new(client, task);
        check_target(self.database.target, &client).await?;
        self.check_limit(&client).await?;
        Ok(Opened { client, peer })
    }

    /// A pooler may drop the session's settings without a word; a statement would then run for as long as it likes.
    async fn check_limit(&self, client: &Client) -> Result<(), ConnectError> {
        if self.database.is_limited() && shows(client, "SHOW statement_timeout", "0").await? {
            return Err(ConnectError::Pooler(None));
        }
        Ok(())
    }

    /// Asks `peer` to cancel what `client` has under way.
    pub(super) async fn cancel(&self, client: &Client, peer: &Peer) -> Result<(), ConnectError> {
        let token = client.cancel_token();
        let tls = self.database.tls.connector(&peer.host);
        let stream = TcpStream::connect(peer.address).await;
        let stream = stream.map_err(ConnectError::Tcp)?;
        token.cancel_query_raw(stream, tls).await?;
        Ok(())
    }

    /// Whether a session that may be stale still leads to a server of the right kind.
    pub(super) async fn check(&self, client: &Client) -> Result<(), ConnectError> {
        match self.database.target {
            Target::Any => Ok(client.check_connection().await?),
            target => check_target(target, client).await,
        }
    }
}

async fn check_target(target: Target, client: &Client) -> Result<(), ConnectError> {
    let setting = match target {
        Target::Any => return Ok(()),
        Target::ReadWrite => "SHOW transaction_read_only",
        Target::Primary => "SHOW in_hot_standby",
    };
    if shows(client, setting, "off").await? {
        Ok(())
    } else {
        Err(ConnectError::NotWritable)
    }
}

async fn shows(client: &Client, setting: &str, value: &str) -> Result<bool, ConnectError> {
    let messages = client.simple_query(setting).await?;
    Ok(messages.iter().any(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0) == Some(value),
        _ => false,
    }))
}

/// The time of one of `left` that have until `deadline` together.
fn share(deadline: Option<Instant>, left: usize) -> Option<Instant> {
    let parts = u32::try_from(left.max(1)).unwrap_or(u32::MAX);
    let now = Instant::now();
    deadline.map(|deadline| now + deadline.saturating_duration_since(now) / parts)
}

async fn within<T>(
    until: Option<Instant>,
    work: impl Future<Output = Result<T, ConnectError>>,
) -> Result<T, ConnectError> {
    match until {
        Some(until) => timeout_at(until, work)
            .await
            .unwrap_or(Err(ConnectError::Timeout)),
        None => work.await,
    }
}
