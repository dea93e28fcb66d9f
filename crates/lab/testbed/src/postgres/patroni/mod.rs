//! A Postgres that fails over: three nodes under Patroni, with etcd, on the loopback address.
//!
//! Invariants: a node is a Patroni and the Postgres that it started; dropped, all of it is gone.

mod start;

use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::{Client, NoTls};

use super::standby::stop_senders;
use super::{INIT_SQL, Installation, PostgresError, folder};
use crate::ports;
use crate::process::ProcessTree;

const NODES: usize = 3;
const POLL: Duration = Duration::from_millis(200);
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Three data directories, one after the other, on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(120);
const LOG_LINES: usize = 5;
const OWNER: &str = "CREATE ROLE holdfast LOGIN PASSWORD 'holdfast'";
const DATABASE: &str = "CREATE DATABASE holdfast OWNER holdfast";
/// How many follow, and how many of them are waited for: on the primary alone; none elsewhere.
const FOLLOWERS: &str = "SELECT count(*), count(*) FILTER (WHERE sync_state = 'sync') FROM pg_stat_replication \
    WHERE state = 'streaming' AND NOT pg_is_in_recovery()";

/// Whether a commit waits for a standby.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replication {
    /// For one of two, as long as there is one (Patroni's `synchronous_mode`).
    Synchronous,
    /// For none.
    Asynchronous,
}

/// Three nodes and their etcd.
#[derive(Debug)]
pub struct Patroni {
    installation: Installation,
    replication: Replication,
    folder: PathBuf,
    etcd: ProcessTree,
    nodes: Vec<Node>,
}

#[derive(Debug)]
struct Node {
    port: u16,
    patroni: ProcessTree,
    postgres: ProcessTree,
}

impl Patroni {
    /// Starts all on fresh data and waits until one leads and both others follow as wanted.
    ///
    /// # Errors
    /// When Postgres, Patroni or etcd is not installed (Debian: `patroni`, `etcd-server`), or they do not come up.
    pub async fn start(replication: Replication) -> Result<Self, PostgresError> {
        let installation = Installation::find().await?;
        let parent = folder::temporary(&installation.account).await;
        let folder = folder::create(&installation.account, &parent, "holdfast-patroni-")?;
        let free = || ports::free().map_err(PostgresError::folder("find a free port for", &parent));
        let (client, peer) = (free()?, free()?);
        let mut cluster = Self {
            installation,
            replication,
            etcd: start::tree(&folder.join("etcd"), "etcd"),
            folder,
            nodes: Vec::new(),
        };
        cluster.start_etcd(client, peer)?;
        for number in 0..NODES {
            cluster.start_node(number, free()?, free()?, client)?;
        }
        cluster.settles(2).await?;
        cluster.make_database().await?;
        Ok(cluster)
    }

    /// All nodes, for whoever wants the one that takes writes.
    #[must_use]
    pub fn url(&self) -> String {
        let hosts: Vec<_> = self
            .nodes
            .iter()
            .map(|node| format!("127.0.0.1:{}", node.port))
            .collect();
        let hosts = hosts.join(",");
        format!("postgres://holdfast:holdfast@{hosts}/holdfast?target_session_attrs=read-write")
    }

    /// Which node leads; none: nobody does.
    pub async fn primary(&self) -> Option<usize> {
        for number in 0..NODES {
            if self.followers(number).await.is_some() {
                return Some(number);
            }
        }
        None
    }

    /// A session with a node's Postgres, as its superuser.
    ///
    /// # Errors
    /// When it refuses.
    pub async fn session(
        &self,
        number: usize,
        database: &str,
    ) -> Result<Client, tokio_postgres::Error> {
        let mut config = tokio_postgres::Config::new();
        config
            .host("127.0.0.1")
            .port(self.nodes[number].port)
            .user("postgres");
        let connect = config
            .dbname(database)
            .connect_timeout(ANSWER_WITHIN)
            .connect(NoTls)
            .await;
        let (client, connection) = connect?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// Waits until one node leads and this many follow, one of them synchronously if that is how they follow: in Postgres
    /// and by Patroni's own book, which lags behind and decides who may lead next.
    ///
    /// # Errors
    /// With Patroni's last words when it does not come to that.
    pub async fn settles(&self, followers: i64) -> Result<usize, PostgresError> {
        let waited_for = i64::from(self.replication == Replication::Synchronous);
        let enough = |_: usize, (all, synchronous): (i64, i64)| {
            all >= followers && synchronous >= waited_for
        };
        let primary = self
            .comes_to(enough, "no primary with its followers")
            .await?;
        while waited_for > 0 && !self.patronictl(&["list"]).await?.contains("Sync Standby") {
            sleep(POLL).await;
        }
        Ok(primary)
    }

    /// The first node to lead as wanted, by its number and by how many follow, in all and synchronously.
    async fn comes_to(
        &self,
        wanted: impl Fn(usize, (i64, i64)) -> bool,
        reason: &str,
    ) -> Result<usize, PostgresError> {
        let started = Instant::now();
        while started.elapsed() < READY_WITHIN {
            for number in 0..NODES {
                let seen = self.followers(number).await;
                if seen.is_some_and(|seen| wanted(number, seen)) {
                    return Ok(number);
                }
            }
            sleep(POLL).await;
        }
        let log = crate::logs::tail_from(&self.folder.join("node0.log"), 0, LOG_LINES).join("\n");
        Err(PostgresError::NotReady {
            reason: reason.to_owned(),
            log,
        })
    }

    /// Waits until a node other than this one leads; this one may believe that it still does.
    ///
    /// # Errors
    /// When none comes to lead.
    pub async fn another_leads(&self, than: usize) -> Result<usize, PostgresError> {
        self.comes_to(|number, _| number != than, "no other primary")
            .await
    }

    /// Kills a node as a machine dies: Postgres and Patroni at once, without a word to etcd.
    ///
    /// # Errors
    /// When a process does not react.
    pub async fn kill(&self, number: usize) -> Result<(), PostgresError> {
        let node = &self.nodes[number];
        node.patroni.kill_now();
        node.postgres.kill().await.map_err(PostgresError::Stuck)
    }

    /// Stops the primary's senders (SIGSTOP): its standbys hear nothing of what it commits from now on.
    ///
    /// # Errors
    /// When the primary cannot be asked who they are.
    pub async fn mute(&self, primary: usize) -> Result<(), tokio_postgres::Error> {
        stop_senders(&self.session(primary, "postgres").await?).await
    }

    /// Stops a node's Patroni (SIGSTOP): its Postgres goes on believing what it believes, whatever etcd says.
    pub fn pause_patroni(&self, number: usize) {
        self.nodes[number].patroni.signal_leader(Signal::STOP);
    }

    /// Lets it go on.
    pub fn resume_patroni(&self, number: usize) {
        self.nodes[number].patroni.signal_leader(Signal::CONT);
    }

    /// Hands the lead to another node in an orderly way.
    ///
    /// # Errors
    /// With what `patronictl` said.
    pub async fn switch_over(&self) -> Result<(), PostgresError> {
        let said = self
            .patronictl(&["switchover", "holdfast", "--force"])
            .await?;
        // It ends with 0 also where the switch failed.
        if said.contains("Successfully switched over") {
            return Ok(());
        }
        Err(PostgresError::Program {
            program: "patronictl".to_owned(),
            output: said,
        })
    }

    async fn patronictl(&self, arguments: &[&str]) -> Result<String, PostgresError> {
        let mut command = self.installation.account.command("patronictl");
        command.arg("-c").arg(self.folder.join("node0.yml"));
        let output = command.args(arguments).output().await;
        let output = output.map_err(PostgresError::folder("run patronictl in", &self.folder))?;
        Ok(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }

    /// None: not reached, or a standby.
    async fn followers(&self, number: usize) -> Option<(i64, i64)> {
        let ask = async {
            let client = self.session(number, "postgres").await.ok()?;
            let is_standby = client
                .query_one("SELECT pg_is_in_recovery()", &[])
                .await
                .ok()?;
            if is_standby.get(0) {
                return None;
            }
            let row = client.query_one(FOLLOWERS, &[]).await.ok()?;
            Some((row.get(0), row.get(1)))
        };
        timeout(ANSWER_WITHIN, ask).await.ok().flatten()
    }

    async fn make_database(&self) -> Result<(), PostgresError> {
        let primary = self.settles(2).await?;
        let make = async {
            let client = self.session(primary, "postgres").await?;
            client.batch_execute(OWNER).await?;
            client.batch_execute(DATABASE).await?;
            let client = self.session(primary, "holdfast").await?;
            client
                .batch_execute(&format!("SET ROLE holdfast; {INIT_SQL}"))
                .await
        };
        make.await.map_err(PostgresError::Schema)
    }
}

impl Drop for Patroni {
    fn drop(&mut self) {
        for node in &self.nodes {
            node.patroni.kill_now();
            node.postgres.kill_now();
        }
        self.etcd.kill_now();
        // What cannot be deleted lies in the temporary folder.
        let _ = folder::delete(&self.folder);
    }
}
