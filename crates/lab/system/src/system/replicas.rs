//! Postgres as a primary and two standbys under Patroni, as processes of this machine: which node leads, by Patroni's own word,
//! and how nodes are broken and healed. They end with this value.

use std::fs;
use std::path::Path;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{Mutex, MutexGuard};

use super::start::Urls;
use super::{Part, Runtime, System};
use crate::database::Database;
use crate::error::SystemError;
use crate::plan::{Replication, Target};
use crate::ports;
use crate::postgres::Patroni;
use crate::probe::Probe;
use crate::stage::AdminClient;

/// The nodes, counted from 0.
#[derive(Debug)]
pub struct Replicas {
    patroni: Mutex<Patroni>,
    ports: Vec<u16>,
    patronis: Vec<AdminClient>,
    /// Of whichever node takes writes.
    pub(super) urls: Urls,
}

impl System {
    /// Postgres itself, past any link; where it is replicated, whichever node takes writes.
    pub fn database(&self) -> Result<Database, SystemError> {
        match self.replicas() {
            Some(replicas) => Ok(Database::Url(replicas.urls.owner.clone())),
            None => self.port(Part::Db).map(Database::on),
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
        let patroni = Patroni::start(replication == Replication::Synchronous).await?;
        let rest_ports = patroni.rest_ports().into_iter();
        Ok(Self {
            ports: patroni.ports(),
            patronis: rest_ports.map(AdminClient::new).collect(),
            urls: Urls {
                owner: patroni.url_of("holdfast"),
                api: patroni.url_of("holdfast_api"),
            },
            patroni: Mutex::new(patroni),
        })
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

    /// The node that leads; none can be broken where none does.
    pub async fn to_break(&self) -> Result<usize, SystemError> {
        let leader = self.leader().await;
        leader.ok_or(SystemError::CannotBreak("no node of Postgres leads"))
    }

    pub fn but(&self, node: usize) -> Vec<usize> {
        (0..self.ports.len()).filter(|it| *it != node).collect()
    }

    pub async fn probe(&self, node: usize, patience: Duration) -> Probe {
        let address = ports::loopback(self.ports[node]).to_string();
        Probe::at(Target::Database, &address, patience).await
    }

    pub async fn has_a_word(&self, node: usize) -> bool {
        self.patronis[node].says_yes("/liveness").await
    }

    /// What can be done to the nodes; locked for as long as it takes, and for no wait.
    pub async fn patroni(&self) -> MutexGuard<'_, Patroni> {
        self.patroni.lock().await
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

    pub(super) async fn lower(&self) -> Result<(), SystemError> {
        Ok(self.patroni.lock().await.end().await?)
    }
}
