//! Postgres as a primary and two standbys under Patroni, as processes of this machine: which node leads, by Patroni's own word,
//! and how nodes are broken and healed. They end with this value.

use std::fs;
use std::path::Path;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Mutex;

use super::start::Urls;
use super::{Part, Runtime, System};
use crate::database::Database;
use crate::error::SystemError;
use crate::plan::{Replication, Target};
use crate::ports;
use crate::postgres::{self, Patroni};
use crate::probe::Probe;
use crate::stage::AdminClient;

/// Writes a mark into the primary's log, waits for no standby, and says where it is.
const MARK: &str = "SELECT pg_logical_emit_message(true, 'holdfast-probe', set_config('synchronous_commit', 'local', true))::text";

/// The nodes, counted from 0.
#[derive(Debug)]
pub struct Replicas {
    /// Locked for as long as something is done to one of them, and for no wait.
    patroni: Mutex<Patroni>,
    ports: Vec<u16>,
    patronis: Vec<AdminClient>,
    urls: Urls,
}

impl System {
    /// Postgres itself, past any link; where it is replicated, whichever node takes writes.
    pub fn database(&self) -> Result<Database, SystemError> {
        match self.replicas() {
            Some(replicas) => Ok(replicas.database()),
            None => self.port(Part::Db).map(Database::Port),
        }
    }

    /// The nodes of Postgres; none: it is one server, or not of processes.
    pub fn replicas(&self) -> Option<&Replicas> {
        match &self.runtime {
            Runtime::Processes(processes) => processes.replicas.as_ref(),
            Runtime::Containers(_) | Runtime::Nodes(_) => None,
        }
    }
}

impl Replicas {
    /// Starts all of them and waits until both standbys follow.
    pub(super) async fn start(replication: Replication) -> Result<Self, SystemError> {
        let patroni = Patroni::start(match replication {
            Replication::Synchronous => postgres::Replication::Synchronous,
            Replication::Asynchronous => postgres::Replication::Asynchronous,
        })
        .await?;
        let rest_ports = patroni.rest_ports().into_iter();
        Ok(Self {
            ports: patroni.ports(),
            patronis: rest_ports.map(AdminClient::new).collect(),
            urls: Urls {
                owner: patroni.url(),
                api: patroni.api_url(),
            },
            patroni: Mutex::new(patroni),
        })
    }

    /// Whichever node takes writes, for its owner.
    pub(super) fn database(&self) -> Database {
        Database::Url(self.urls.owner.clone())
    }

    /// The same for an API.
    pub(super) fn urls(&self) -> &Urls {
        &self.urls
    }

    /// Which node leads, by the word of its Patroni, which holds the lease for it; none: nobody does.
    pub async fn leader(&self) -> Option<usize> {
        self.leader_but(None).await
    }

    /// The same of all nodes but this one, which is not asked: it may not answer, or believe that it still leads.
    pub async fn leader_but(&self, but: Option<usize>) -> Option<usize> {
        let nodes = (0..self.ports.len()).filter(|node| Some(*node) != but);
        let asked = nodes.map(|node| async move {
            let leads = self.patronis[node].says_yes("/primary").await;
            leads.then_some(node)
        });
        join_all(asked).await.into_iter().flatten().next()
    }

    /// The node that leads.
    pub async fn to_break(&self) -> Result<usize, SystemError> {
        let leader = self.leader().await;
        leader.ok_or(SystemError::CannotBreak("no node of Postgres leads"))
    }

    /// All nodes but this one.
    pub fn but(&self, node: usize) -> Vec<usize> {
        (0..self.ports.len()).filter(|it| *it != node).collect()
    }

    /// Looks at a node's Postgres: whether it takes writes.
    pub async fn probe(&self, node: usize, patience: Duration) -> Probe {
        let address = ports::loopback(self.ports[node]).to_string();
        Probe::at(Target::Database, &address, patience).await
    }

    /// Whether a node's Patroni answers at all.
    pub async fn has_a_word(&self, node: usize) -> bool {
        self.patronis[node].says_yes("/liveness").await
    }

    /// Whether this node leads and both others follow it as they should.
    pub async fn all_follow(&self, leader: usize) -> bool {
        self.patroni.lock().await.all_follow(leader).await
    }

    /// Which standbys a commit waits for, as Postgres has it; empty: for none.
    pub async fn waits_for(&self, leader: usize) -> Result<String, SystemError> {
        let patroni = self.patroni.lock().await;
        Ok(patroni
            .text(leader, "SHOW synchronous_standby_names")
            .await?)
    }

    /// Has the node write a mark into its log; where it is.
    pub async fn mark(&self, leader: usize) -> Result<String, SystemError> {
        Ok(self.patroni.lock().await.text(leader, MARK).await?)
    }

    /// Whether the node has sent its standbys what it wrote until this mark.
    pub async fn has_sent(&self, leader: usize, mark: &str) -> Result<bool, SystemError> {
        let sql = format!(
            "SELECT coalesce(bool_or(sent_lsn >= '{mark}'), false)::text FROM pg_stat_replication"
        );
        let patroni = self.patroni.lock().await;
        Ok(patroni.text(leader, &sql).await? == "true")
    }

    /// Kills nodes as machines die: Postgres and Patroni at once.
    pub async fn kill(&self, nodes: &[usize]) -> Result<(), SystemError> {
        Ok(self.patroni.lock().await.kill(nodes).await?)
    }

    /// Starts nodes that are dead, on the data they have.
    pub async fn start_again(&self, nodes: &[usize]) -> Result<(), SystemError> {
        let mut patroni = self.patroni.lock().await;
        for node in nodes {
            patroni.start_again(*node)?;
        }
        Ok(())
    }

    /// Cuts a node off from etcd: its Patroni stands still, and its Postgres goes on believing what it believes, whoever asks.
    pub async fn cut_off(&self, node: usize) {
        self.patroni.lock().await.pause_patroni(node);
    }

    /// Has it hear of the others again.
    pub async fn join(&self, node: usize) -> Result<(), SystemError> {
        Ok(self.patroni.lock().await.replace_patroni(node).await?)
    }

    /// Has the standbys of this node hear nothing of what it commits from now on.
    pub async fn mute(&self, leader: usize) -> Result<(), SystemError> {
        Ok(self.patroni.lock().await.mute(leader).await?)
    }

    /// Has them hear it again, if it lives.
    pub async fn unmute(&self, leader: usize) {
        self.patroni.lock().await.unmute(leader);
    }

    /// Hands the lead to a standby, in order.
    pub async fn switch_over(&self) -> Result<(), SystemError> {
        Ok(self.patroni.lock().await.switch_over().await?)
    }

    /// Copies the logs of all nodes to where those of the services are.
    pub(super) async fn keep_logs(&self, folder: &Path) {
        let patroni = self.patroni.lock().await;
        let nodes = (0..self.ports.len()).map(|node| format!("node{node}.log"));
        for log in nodes.chain(["etcd.log".to_owned()]) {
            // What cannot be copied is missed by whoever looks for it, and by nobody else.
            let _ = fs::copy(patroni.folder().join(&log), folder.join(&log));
        }
    }

    /// Ends all of it.
    pub(super) async fn lower(self) -> Result<(), SystemError> {
        Ok(self.patroni.into_inner().end().await?)
    }
}
