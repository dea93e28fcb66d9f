//! A standby of a cluster: it follows without being waited for, falls behind when told to, and takes over when told to.

use rustix::process::{Pid, Signal, kill_process};
use tokio_postgres::Client;

use super::cluster::Cluster;
use super::{PostgresError, session};

const SENDERS: &str = "SELECT pid FROM pg_stat_replication";
/// Returns when it takes writes.
const PROMOTE: &str = "SELECT pg_promote()";

impl Cluster {
    /// A server on a copy of this one's data, on a port of its own, that follows it: `synchronous_standby_names` is empty, so
    /// no commit waits for it.
    pub async fn standby(&self) -> Result<Self, PostgresError> {
        Self::on_free_port(Some(self.port())).await
    }

    /// Has its standbys hear nothing of what it commits from now on.
    pub async fn mute(&self) -> Result<(), tokio_postgres::Error> {
        stop_senders(&session(&self.url()).await?).await
    }

    /// Makes a standby the primary; returns when it takes writes.
    pub async fn promote(&self) -> Result<(), tokio_postgres::Error> {
        let session = session(&self.url()).await?;
        session.execute(PROMOTE, &[]).await.map(drop)
    }
}

/// Stops the senders of the primary that `session` is with (SIGSTOP).
pub(super) async fn stop_senders(session: &Client) -> Result<(), tokio_postgres::Error> {
    let senders = session.query(SENDERS, &[]).await?;
    for pid in senders.iter().filter_map(|row| Pid::from_raw(row.get(0))) {
        // One that has ended since sends nothing either.
        let _ = kill_process(pid, Signal::STOP);
    }
    Ok(())
}
