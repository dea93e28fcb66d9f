//! The Swarm stage: an API with its journal, a worker, a Postgres under Patroni and an etcd on each of three nodes, which
//! are engines on this machine. In front of them a balancer, on the loopback ports that the other stages have.
//!
//! A service here is all three of its kind.

mod actions;
pub(crate) mod nodes;
mod up;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use actions::NodeAction;
use futures_util::future::join_all;
pub use nodes::Node;
use nodes::Nodes;
use tokio::process::Command;

use super::container::Container;
use super::{AdminClient, Condition, Service};
use crate::accepted;
use crate::error::SystemError;
use crate::output::Console;
use crate::settings::{Ports, Settings};

/// The stage's Swarm, and the experiments'.
const STAGE: u8 = 211;
const EXPERIMENTS: u8 = 212;
const STACK: &str = "holdfast";
/// Where Patroni is asked on each node: `deploy/swarm/patroni.yml`.
const PATRONI: u16 = 8008;

#[derive(Debug, Clone)]
pub struct Swarm {
    pub(crate) nodes: Nodes,
    /// Where the promises of its clients are kept.
    pub(super) folder: PathBuf,
    pub(super) console: Console,
}

impl Swarm {
    pub const NODES: [Node; 3] = [1, 2, 3];

    /// The stage, whether it is up or not.
    pub fn new(settings: &Settings, console: Console) -> Self {
        let mut swarm = Self::of_its_own(settings.ports, settings, console);
        swarm.nodes.swarm = STAGE;
        swarm.nodes.variables.extend(settings.passed_on.clone());
        swarm.folder = settings.folder().join("swarm");
        swarm
    }

    /// One of the experiments' own, whose balancer listens on these ports.
    pub fn of_its_own(ports: Ports, settings: &Settings, console: Console) -> Self {
        Self {
            nodes: Nodes {
                swarm: EXPERIMENTS,
                stack: STACK.to_owned(),
                root: settings.root.clone(),
                ports,
                variables: BTreeMap::new(),
            },
            folder: settings.folder().join("experiments"),
            console,
        }
    }

    /// The API of each node: it has a journal of its own, of which no other can tell.
    pub fn apis(&self) -> Vec<AdminClient> {
        self.nodes.clients(nodes::API)
    }

    /// The same nodes for another stack, with more variables for its file.
    pub fn with_variables(&self, more: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut swarm = self.clone();
        swarm.nodes.variables.extend(more);
        // The volumes of another name are others.
        swarm.nodes.stack = format!("{STACK}{}", fastrand::u32(..));
        swarm
    }

    /// The node that Postgres' primary is on, by its own word; the first of two that both believe it. None: none leads.
    pub async fn primary(&self) -> Option<Node> {
        self.saying_yes("/primary").await.first().copied()
    }

    /// The nodes whose Patroni answers this question with yes.
    async fn saying_yes(&self, path: &str) -> Vec<Node> {
        let patronis = self.nodes.clients(PATRONI);
        let answers = join_all(patronis.iter().map(|patroni| patroni.says_yes(path))).await;
        let nodes = Self::NODES.into_iter().zip(answers);
        nodes
            .filter_map(|(node, yes)| yes.then_some(node))
            .collect()
    }

    pub async fn holds_data(&self) -> Result<bool, SystemError> {
        Ok(self.nodes.are_made())
    }

    pub async fn is_up(&self) -> Result<bool, SystemError> {
        Ok(self.nodes.are_made() && !self.nodes.alive().await?.is_empty())
    }

    /// Ends the nodes and deletes their disks, and what clients were promised of them: what of that was data.
    pub async fn down(&self) -> Result<Vec<String>, SystemError> {
        let mut deleted = Vec::new();
        if self.nodes.are_made() {
            self.nodes.script(&["down"]).await?;
            deleted.push("three nodes and their volumes".to_owned());
        }
        deleted.extend(accepted::forget(&self.folder)?);
        Ok(deleted)
    }

    /// How the three of each service are, as one.
    pub async fn conditions(&self) -> Result<Vec<(Service, Condition)>, SystemError> {
        if !self.is_up().await? {
            return Err(SystemError::NotUp);
        }
        let containers = self.nodes.containers().await?;
        let of = |service: Service| {
            let own = containers.iter().map(|(_, container)| container);
            condition(own.filter(|container| container.service == service))
        };
        Ok(Service::ALL.map(|service| (service, of(service))).to_vec())
    }

    /// The commands that show the logs of all tasks: one for each that is or was on a node, or, to follow them, for each service
    /// of the stack, which is told of those that are yet to come.
    pub async fn logs(
        &self,
        wanted: Option<Service>,
        follow: bool,
    ) -> Result<Vec<(Service, Command)>, SystemError> {
        let nodes = self.nodes.alive().await?;
        let first = *nodes.first().ok_or(SystemError::NotUp)?;
        let mut commands = Vec::new();
        for service in wanted.map_or(Service::ALL.to_vec(), |it| vec![it]) {
            if follow {
                for name in self.nodes.services(service).await? {
                    let arguments = ["service", "logs", "--raw", "--follow", &name];
                    commands.push((service, self.nodes.command(first, &arguments)));
                }
                continue;
            }
            // Of each engine: Swarm's own collection waits without end for a task whose node has been away.
            for node in &nodes {
                for id in self.nodes.all_of(*node, service).await? {
                    commands.push((service, self.nodes.command(*node, &["logs", &id])));
                }
            }
        }
        Ok(commands)
    }
}

fn condition<'a>(containers: impl Iterator<Item = &'a Container>) -> Condition {
    let alive: Vec<_> = containers.filter(|it| it.is_alive()).collect();
    if alive.is_empty() {
        return Condition::Dead;
    }
    let all = Swarm::NODES.len();
    // Postgres has no health check here: Patroni looks after it.
    let is_well = |it: &&&Container| it.is_healthy() || it.service == Service::Db;
    let healthy = alive.iter().filter(is_well).count();
    let ill = (healthy != all).then(|| format!("{healthy} of {all} are healthy"));
    Condition::Running { pid: None, ill }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::container::task;

    #[test]
    fn a_service_is_healthy_when_all_three_of_it_are_and_dead_when_none_is() {
        let well = r#"{"Status":"running","Health":{"Status":"healthy"}}"#;
        let starting = r#"{"Status":"running","Health":{"Status":"starting"}}"#;
        let of = |states: &[&str]| {
            let all: Vec<_> = states.iter().filter_map(|it| task("api", it)).collect();
            condition(all.iter())
        };
        let two = Condition::Running {
            pid: None,
            ill: Some("2 of 3 are healthy".to_owned()),
        };
        assert_eq!(of(&[]), Condition::Dead);
        assert_eq!(of(&[r#"{"Status":"exited"}"#]), Condition::Dead);
        assert!(of(&[well, well, well]).is_healthy());
        assert_eq!(of(&[well, well]), two);
        assert_eq!(of(&[well, starting, well]), two);
    }

    #[test]
    fn a_node_of_postgres_that_runs_is_well_without_a_health_check() {
        let runs = |number| task(&format!("postgres{number}"), r#"{"Status":"running"}"#);
        let all = [1, 2, 3].map(runs);
        assert!(condition(all.iter().flatten()).is_healthy());
    }
}
