//! A cluster for one test: lives as long as its value.

use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

use super::reap::{self, Record};
use super::server::{Installation, Server};
use super::{PostgresError, api_url, folder, url};
use crate::ports;
use crate::process::Identity;

/// Another program can take a port between its choice and its use.
const PORT_TRIES: usize = 5;
const GRACE_STEPS: u32 = 200;
const GRACE_STEP: Duration = Duration::from_millis(5);

/// How a cluster is made.
#[derive(Debug, Clone, Copy, Default)]
pub struct ClusterOptions {
    /// On the loopback address; 0 chooses a free one.
    pub port: u16,
}

/// A Postgres server of one's own, with the schema loaded. Dropping it kills the server and deletes its data.
#[derive(Debug)]
pub struct Cluster {
    installation: Installation,
    server: Server,
    owner: Identity,
}

impl Cluster {
    /// Starts a server on fresh data and waits until it answers; half a second, once the machine has a template.
    pub async fn start(options: ClusterOptions) -> Result<Self, PostgresError> {
        match options.port {
            0 => Self::on_free_port(None).await,
            port => Self::on_port(&Self::find().await?, port, None).await,
        }
    }

    /// Where its superuser connects, who owns the tables.
    pub fn url(&self) -> String {
        url(self.server.port)
    }

    /// Where the API connects, by its own role.
    pub fn api_url(&self) -> String {
        api_url(self.server.port)
    }

    /// On the loopback address; the same for as long as the cluster lives.
    pub fn port(&self) -> u16 {
        self.server.port
    }

    /// The programs that it runs by.
    pub fn installation(&self) -> &Installation {
        &self.installation
    }

    /// The server's log, which goes with the cluster.
    pub fn log(&self) -> &Path {
        &self.server.log
    }

    /// Kills every process (SIGKILL): a crash. Returns when the port refuses; the data stay.
    pub async fn kill(&self) -> Result<(), PostgresError> {
        self.server.kill().await
    }

    /// Starts it again, on the same data and port, or resumes it. Returns when it answers a query.
    pub async fn start_again(&mut self) -> Result<(), PostgresError> {
        self.server.start_again(&self.installation).await?;
        self.record()
    }

    /// Stops every process (SIGSTOP), the backends of open sessions included: the port accepts, nobody answers.
    pub async fn pause(&self) -> Result<(), PostgresError> {
        self.server.pause().await
    }

    /// Lets a paused server go on.
    pub fn resume(&self) {
        self.server.tree.resume();
    }

    /// On a free port; on a copy of the data of the server on port `primary`, if there is one to follow.
    pub(super) async fn on_free_port(primary: Option<u16>) -> Result<Self, PostgresError> {
        let installation = Self::find().await?;
        let mut tries = PORT_TRIES;
        loop {
            tries -= 1;
            let port = ports::free();
            let port = port.map_err(PostgresError::folder("find", "a free port"))?;
            match Self::on_port(&installation, port, primary).await {
                Err(PostgresError::PortTaken { .. }) if tries > 0 => {}
                result => return result,
            }
        }
    }

    /// What is needed to start one, with what earlier runs left behind gone.
    async fn find() -> Result<Installation, PostgresError> {
        let installation = Installation::find().await?;
        reap::stale(&folder::temporary(&installation.account).await).await;
        Ok(installation)
    }

    async fn on_port(
        installation: &Installation,
        port: u16,
        primary: Option<u16>,
    ) -> Result<Self, PostgresError> {
        let parent = folder::temporary(&installation.account).await;
        let (owner, server) = reap::owned(&installation.account, &parent, port)?;
        let mut cluster = Self {
            installation: installation.clone(),
            server,
            owner,
        };
        // From here on, dropping the cluster cleans up.
        match primary {
            None => cluster.server.create(installation).await?,
            Some(primary) => cluster.server.create_standby(installation, primary).await?,
        }
        cluster.record()?;
        Ok(cluster)
    }

    fn record(&self) -> Result<(), PostgresError> {
        let server = Some(self.server.clone());
        Record {
            owner: self.owner.clone(),
            server,
            trees: Vec::new(),
        }
        .write(&self.server.folder)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let tree = &self.server.tree;
        tree.resume();
        // The immediate shutdown also removes the server's shared memory, which SIGKILL would leave behind.
        tree.signal_leader(Signal::QUIT);
        for _ in 0..GRACE_STEPS {
            if !tree.is_alive() {
                break;
            }
            #[expect(
                clippy::disallowed_methods,
                reason = "drop cannot await, and the folder must outlive the server"
            )]
            std::thread::sleep(GRACE_STEP);
        }
        tree.kill_now();
        // What cannot be deleted now is reaped by the next run.
        let _ = self.server.delete();
    }
}
