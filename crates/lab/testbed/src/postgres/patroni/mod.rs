//! A Postgres that fails over: three nodes under Patroni, with etcd, on the loopback address.
//!
//! Invariants: a node is a Patroni and the Postgres that it started; dropped, all of it is gone, and what a killed owner left is
//! found by its record.

mod start;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::{sleep, timeout};
use tokio_postgres::{Client, Error};

use super::standby::stop_senders;
use super::{INIT_SQL, Installation, PostgresError, ROLE_SQL, account, session};
use crate::logs;
use crate::process::ProcessTree;
use crate::wait::Patience;

/// One that leads, and two of which one may be lost with it.
const NODES: usize = 3;
const POLL: Duration = Duration::from_millis(200);
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Three data directories, one after the other, on a busy machine.
const READY: Patience = Patience::new(Duration::from_secs(120), POLL);
const LOG_LINES: usize = 5;
const OWNER: &str = "CREATE ROLE holdfast LOGIN PASSWORD 'holdfast'";
const DATABASE: &str = "CREATE DATABASE holdfast OWNER holdfast";
/// How many follow, and how many of them are waited for: on the primary alone; none elsewhere.
const FOLLOWERS: &str = "SELECT count(*), count(*) FILTER (WHERE sync_state = 'sync') FROM pg_stat_replication \
    WHERE state = 'streaming' AND NOT pg_is_in_recovery()";

/// Three nodes, counted from 0, and their etcd.
#[derive(Debug)]
pub struct Patroni {
    installation: Installation,
    /// Whether a commit waits for one of two standbys, as long as there is one (Patroni's `synchronous_mode`).
    synchronous: bool,
    folder: PathBuf,
    nodes: Vec<Node>,
}

#[derive(Debug)]
struct Node {
    port: u16,
    /// Of Patroni's REST API.
    rest: u16,
    patroni: ProcessTree,
    postgres: ProcessTree,
}

impl Patroni {
    /// Where this role connects: with whichever node takes writes.
    pub fn url_of(&self, role: &str) -> String {
        let ports = self.ports().into_iter();
        let hosts: Vec<_> = ports.map(|port| format!("127.0.0.1:{port}")).collect();
        let hosts = hosts.join(",");
        format!("postgres://{role}:holdfast@{hosts}/holdfast?target_session_attrs=read-write")
    }

    pub fn ports(&self) -> Vec<u16> {
        self.nodes.iter().map(|node| node.port).collect()
    }

    /// Where each node's Patroni is asked over HTTP.
    pub fn rest_ports(&self) -> Vec<u16> {
        self.nodes.iter().map(|node| node.rest).collect()
    }

    /// Where all of it keeps its data, and logs: `etcd.log`, and each node's `nodeN.log`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Kills nodes as machines die: Postgres and Patroni at once, without a word to etcd.
    pub async fn kill(&self, numbers: &[usize]) -> Result<(), PostgresError> {
        let nodes = || numbers.iter().map(|number| &self.nodes[*number]);
        // All of Postgres first: a primary's Patroni that sees one standby go before the other has the primary wait for that one,
        // and then waits for the primary, for ever.
        nodes().for_each(|node| node.postgres.kill_now());
        nodes().for_each(|node| node.patroni.kill_now());
        for node in nodes() {
            // What its Patroni has started again meanwhile.
            node.postgres.kill().await.map_err(PostgresError::Stuck)?;
        }
        Ok(())
    }

    /// Stops the primary's senders (SIGSTOP): its standbys hear nothing of what it commits from now on.
    pub async fn mute(&self, primary: usize) -> Result<(), Error> {
        stop_senders(&self.session(primary, "postgres").await?).await
    }

    /// Lets them go on, if it lives.
    pub fn unmute(&self, primary: usize) {
        self.nodes[primary].postgres.resume();
    }

    /// Stops a node's Patroni (SIGSTOP): its Postgres goes on believing what it believes, whatever etcd says.
    pub fn pause_patroni(&self, number: usize) {
        self.nodes[number].patroni.signal_leader(Signal::STOP);
    }

    /// Puts another Patroni in the place of one that stands still, as a supervisor does. One that went on where it stood would
    /// renew a lease that it lost long ago.
    pub async fn replace_patroni(&mut self, number: usize) -> Result<(), PostgresError> {
        let patroni = &self.nodes[number].patroni;
        while patroni.is_alive() {
            // Alone: its Postgres goes on.
            patroni.signal_leader(Signal::KILL);
            sleep(POLL).await;
        }
        self.start_again(number)
    }

    /// Hands the lead to another node in an orderly way.
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

    /// Whether this node leads, and all others follow as they should.
    pub async fn all_follow(&self, number: usize) -> bool {
        let ask = async {
            let client = self.session(number, "postgres").await?;
            client.query_one(FOLLOWERS, &[]).await
        };
        let Ok(Ok(row)) = timeout(ANSWER_WITHIN, ask).await else {
            return false;
        };
        let (all, waited_for): (i64, i64) = (row.get(0), row.get(1));
        all >= 2 && waited_for >= i64::from(self.synchronous)
    }

    /// The answer of a node's Postgres to a question for one text, asked by its superuser.
    pub async fn text(&self, number: usize, sql: &str) -> Result<String, Error> {
        let client = self.session(number, "postgres").await?;
        client.query_one(sql, &[]).await?.try_get(0)
    }

    pub async fn end(&self) -> Result<(), PostgresError> {
        for tree in start::trees(&self.folder) {
            tree.kill().await.map_err(PostgresError::Stuck)?;
        }
        Ok(())
    }

    /// Waits until one node leads and all others follow, one of them synchronously if that is how they follow: in Postgres
    /// and by Patroni's own book, which lags behind and decides who may lead next.
    async fn settles(&self) -> Result<usize, PostgresError> {
        let mut wait = READY.begin();
        loop {
            for number in 0..NODES {
                if self.all_follow(number).await && self.is_booked().await? {
                    return Ok(number);
                }
            }
            if wait.is_over().await {
                let log = logs::tail(&self.folder.join("node0.log"), LOG_LINES);
                return Err(PostgresError::NotReady {
                    reason: "no primary with its followers".to_owned(),
                    log: log.join("\n"),
                });
            }
        }
    }

    async fn is_booked(&self) -> Result<bool, PostgresError> {
        Ok(!self.synchronous || self.patronictl(&["list"]).await?.contains("Sync Standby"))
    }

    async fn patronictl(&self, arguments: &[&str]) -> Result<String, PostgresError> {
        let mut command = self.installation.account.command("patronictl");
        command.arg("-c").arg(self.folder.join("node0.yml"));
        let output = command.args(arguments).output().await;
        let output = output.map_err(PostgresError::folder("run patronictl in", &self.folder))?;
        Ok(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }

    /// Of the superuser.
    async fn session(&self, number: usize, database: &str) -> Result<Client, Error> {
        let (port, seconds) = (self.nodes[number].port, ANSWER_WITHIN.as_secs());
        let url = format!("postgres://postgres@127.0.0.1:{port}/{database}");
        session(&format!("{url}?connect_timeout={seconds}")).await
    }

    async fn make_database(&self, primary: usize) -> Result<(), PostgresError> {
        let make = async {
            let client = self.session(primary, "postgres").await?;
            client.batch_execute(OWNER).await?;
            client.batch_execute(DATABASE).await?;
            let client = self.session(primary, "holdfast").await?;
            let tables = format!("SET ROLE holdfast; {INIT_SQL}; RESET ROLE; {ROLE_SQL}");
            client.batch_execute(&tables).await
        };
        make.await.map_err(PostgresError::Schema)
    }
}

impl Drop for Patroni {
    fn drop(&mut self) {
        for tree in start::trees(&self.folder) {
            tree.kill_now();
        }
        // What cannot be deleted now is reaped by the next run.
        let _ = account::delete(&self.folder);
    }
}
