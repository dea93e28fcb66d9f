//! A cluster for one test: lives as long as its value.

use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

use super::reap::{self, Record};
use super::server::{Installation, Server};
use super::{PostgresError, api_url, url};
use crate::ports;

/// Another program can take a port between its choice and its use.
const PORT_TRIES: usize = 5;
const GRACE_STEPS: u32 = 200;
const GRACE_STEP: Duration = Duration::from_millis(5);

/// A Postgres server of one's own, with the schema loaded. Dropping it kills the server and deletes its data.
#[derive(Debug)]
pub struct Cluster {
    installation: Installation,
    pub(super) server: Server,
    record: Record,
}

impl Cluster {
    /// Starts a server on fresh data and a free port and waits until it answers; half a second, once the machine has a template.
    pub async fn start() -> Result<Self, PostgresError> {
        Self::on_free_port(None).await
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
        self.write_down()
    }

    /// Stops every process (SIGSTOP), the backends of open sessions included: the port accepts, nobody answers.
    pub async fn pause(&self) -> Result<(), PostgresError> {
        self.server.pause().await
    }

    pub fn resume(&self) {
        self.server.tree.resume();
    }

    /// On a free port; on a copy of the data of the server on port `primary`, if there is one to follow.
    pub(super) async fn on_free_port(primary: Option<u16>) -> Result<Self, PostgresError> {
        let installation = Installation::find().await?;
        let parent = installation.account.temporary_folder().await;
        // What earlier runs left behind.
        reap::stale(&parent).await;
        let mut tries = PORT_TRIES;
        loop {
            tries -= 1;
            let port = ports::free();
            let port = port.map_err(PostgresError::folder("find", "a free port"))?;
            match Self::on_port(&installation, &parent, port, primary).await {
                Err(PostgresError::PortTaken(_)) if tries > 0 => {}
                result => return result,
            }
        }
    }

    async fn on_port(
        installation: &Installation,
        parent: &Path,
        port: u16,
        primary: Option<u16>,
    ) -> Result<Self, PostgresError> {
        let mut cluster = Self::new(installation, parent, port)?;
        cluster.server.create(installation, primary).await?;
        cluster.write_down()?;
        Ok(cluster)
    }

    /// A server that is yet to be started, in a new folder in `parent`. What is started there is found by its folder, also
    /// before its pid is recorded; dropped, all of it goes.
    pub(super) fn new(
        installation: &Installation,
        parent: &Path,
        port: u16,
    ) -> Result<Self, PostgresError> {
        let server = |folder: &Path| Server::new(folder.to_owned(), folder.join("log"), port);
        let trees = |folder: &Path| vec![server(folder).tree];
        let (folder, record) = reap::recorded(&installation.account, parent, trees)?;
        Ok(Self {
            installation: installation.clone(),
            server: server(&folder),
            record,
        })
    }

    fn write_down(&mut self) -> Result<(), PostgresError> {
        self.record.trees = vec![self.server.tree.clone()];
        self.record.write(&self.server.folder)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_is_named() {
        let holder = std::net::TcpListener::bind(ports::loopback(ports::free().unwrap())).unwrap();
        let port = holder.local_addr().unwrap().port();
        let installation = Installation::find().await.unwrap();
        let parent = installation.account.temporary_folder().await;
        let error = Cluster::on_port(&installation, &parent, port, None).await;
        let error = error.unwrap_err();
        assert!(
            matches!(error, PostgresError::PortTaken(named) if named == port),
            "{error}"
        );
    }
}
