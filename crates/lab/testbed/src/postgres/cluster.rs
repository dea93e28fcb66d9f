//! A cluster for one test: lives as long as its value.

use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

use super::reap::{self, Record};
use super::server::{Installation, Server};
use super::{PostgresError, folder, url};
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
    ///
    /// # Errors
    /// When Postgres is not installed, cannot be run, or the port is taken.
    pub async fn start(options: ClusterOptions) -> Result<Self, PostgresError> {
        let installation = Installation::find().await?;
        let parent = folder::temporary(&installation.account).await;
        reap::stale(&parent).await;
        let mut tries = PORT_TRIES;
        loop {
            tries -= 1;
            let port = match options.port {
                0 => {
                    ports::free().map_err(PostgresError::folder("find a free port for", &parent))?
                }
                port => port,
            };
            match Self::start_on(&installation, port).await {
                Err(PostgresError::PortTaken { .. }) if options.port == 0 && tries > 0 => {}
                result => return result,
            }
        }
    }

    /// Where clients connect.
    #[must_use]
    pub fn url(&self) -> String {
        url(self.server.port)
    }

    /// On the loopback address; the same for as long as the cluster lives.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.server.port
    }

    /// The server's log, which goes with the cluster.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.server.log
    }

    /// Kills every process (SIGKILL): a crash. Returns when the port refuses; the data stay.
    ///
    /// # Errors
    /// When a process does not react.
    pub async fn kill(&self) -> Result<(), PostgresError> {
        self.server.kill().await
    }

    /// Starts it again, on the same data and port, or resumes it. Returns when it answers a query.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn start_again(&mut self) -> Result<(), PostgresError> {
        self.server.start_again(&self.installation).await?;
        self.record()
    }

    /// Stops every process (SIGSTOP), the backends of open sessions included: the port accepts, nobody answers.
    ///
    /// # Errors
    /// When a process does not react.
    pub async fn pause(&self) -> Result<(), PostgresError> {
        self.server.pause().await
    }

    /// Lets a paused server go on.
    pub fn resume(&self) {
        self.server.family.resume();
    }

    async fn start_on(installation: &Installation, port: u16) -> Result<Self, PostgresError> {
        let parent = folder::temporary(&installation.account).await;
        let (owner, server) = reap::owned(&installation.account, &parent, port)?;
        let mut cluster = Self {
            installation: installation.clone(),
            server,
            owner,
        };
        // From here on, dropping the cluster cleans up.
        cluster.server.create(installation).await?;
        cluster.record()?;
        Ok(cluster)
    }

    fn record(&self) -> Result<(), PostgresError> {
        let server = Some(self.server.clone());
        Record {
            owner: self.owner.clone(),
            server,
        }
        .write(&self.server.folder)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let family = &self.server.family;
        family.resume();
        // The immediate shutdown also removes the server's shared memory, which SIGKILL would leave behind.
        family.signal_leader(Signal::QUIT);
        for _ in 0..GRACE_STEPS {
            if !family.is_alive() {
                break;
            }
            #[expect(
                clippy::disallowed_methods,
                reason = "drop cannot await, and the folder must outlive the server"
            )]
            std::thread::sleep(GRACE_STEP);
        }
        family.kill_now();
        // What cannot be deleted now is reaped by the next run.
        let _ = self.server.delete();
    }
}
