//! The nodes: engines that `deploy/swarm/nodes.sh` makes, and what each is told.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use futures_util::future::join_all;
use tokio::process::Command;

use super::Swarm;
use crate::error::SystemError;
use crate::settings::Ports;
use crate::stage::container::Container;
use crate::stage::{AdminClient, Service, program};

/// Where the script keeps the nodes' disks, which outlive this machine's own restart.
const DISKS: &str = "/var/lib/holdfast-swarm";
const SCRIPT: &str = "deploy/swarm/nodes.sh";

/// Where API and worker are published on each node: `deploy/stack.yml`.
pub(crate) const API: u16 = 8080;
pub(crate) const WORKER: u16 = 8081;

/// One of them: 1, 2 or 3.
pub type Node = u8;

#[derive(Debug, Clone)]
pub(crate) struct Nodes {
    /// What sets them apart from another Swarm's, and is in their addresses.
    pub(super) swarm: u8,
    /// Of the stack: with its volumes it begins anew under another.
    pub(super) stack: String,
    pub(super) root: PathBuf,
    /// Of the balancer.
    pub(crate) ports: Ports,
    pub(super) variables: BTreeMap<String, String>,
}

impl Nodes {
    /// Runs the script: its talk goes to stderr, what it prints is returned.
    pub(super) async fn script(&self, words: &[&str]) -> Result<String, SystemError> {
        let mut command = program::command(self.root.join(SCRIPT), words);
        command.env("SWARM", self.swarm.to_string());
        let ports = self.ports.named().into_iter();
        command.envs(ports.map(|(_, port, variable)| (variable, port.to_string())));
        command.stderr(Stdio::inherit());
        program::printed(command).await
    }

    pub(super) async fn alive(&self) -> Result<Vec<Node>, SystemError> {
        let told = self.script(&["status"]).await?;
        let number = |line: &str| line.split_once(" alive ")?.0.parse().ok();
        Ok(told.lines().filter_map(number).collect())
    }

    /// Whether any was ever made and not taken down.
    pub(crate) fn are_made(&self) -> bool {
        Path::new(DISKS).join(self.swarm.to_string()).exists()
    }

    /// `HOST:PORT` on a node, on the network that the nodes share with this machine.
    pub(crate) fn at(&self, node: Node, port: u16) -> String {
        format!("{}:{port}", Ipv4Addr::new(192, 168, self.swarm, 10 + node))
    }

    /// The questions to what listens on this port of each node.
    pub(crate) fn clients(&self, port: u16) -> Vec<AdminClient> {
        let at = |node| AdminClient::at(format!("http://{}", self.at(node, port)));
        Swarm::NODES.map(at).to_vec()
    }

    pub(super) async fn docker(
        &self,
        node: Node,
        arguments: &[&str],
    ) -> Result<String, SystemError> {
        program::printed(self.command(node, arguments)).await
    }

    pub(super) fn command(&self, node: Node, arguments: &[&str]) -> Command {
        let host = format!("unix://{}/{node}/docker.sock", self.folder().display());
        let mut command = program::command("docker", [&["--host", &host][..], arguments].concat());
        command.current_dir(&self.root).envs(&self.variables);
        command.env("API_PORT", self.ports.api.to_string());
        // By which the API of each node is asked from outside.
        command.env("NODES", Swarm::NODES.map(|it| self.at(it, API)).join(","));
        command
    }

    /// Runs `docker` where orders for the whole Swarm are taken: on the first node that takes them.
    pub(super) async fn manage(&self, arguments: &[&str]) -> Result<String, SystemError> {
        let mut failed = SystemError::NotUp;
        for node in self.alive().await? {
            match self.docker(node, arguments).await {
                Ok(told) => return Ok(told),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    /// Deploys the stack, or what of it has changed.
    pub(super) async fn deploy(&self) -> Result<(), SystemError> {
        // At once: when all of it is well is looked at from outside.
        let deploy = ["stack", "deploy", "--detach", "--prune"];
        let file = ["--resolve-image=never", "--compose-file=deploy/stack.yml"];
        let deploy = [&deploy[..], &file, &[&self.stack]].concat();
        self.manage(&deploy).await.map(drop)
    }

    /// The services of the stack that are this one: Postgres is three.
    pub(super) async fn services(&self, service: Service) -> Result<Vec<String>, SystemError> {
        let name = match service {
            Service::Db => "postgres",
            Service::Api | Service::Worker => service.name(),
        };
        let filter = format!("name={}_{name}", self.stack);
        let list = ["service", "ls", "--format={{.Name}}", "--filter", &filter];
        let told = self.manage(&list).await?;
        Ok(told.lines().map(str::to_owned).collect())
    }

    /// Whether Swarm reaches all nodes and has as many tasks of each service as it wants, or more for a while: of a node that it had
    /// lost it ends all tasks, and begins others.
    pub(super) async fn are_settled(&self) -> Result<bool, SystemError> {
        let nodes = ["node", "ls", "--format={{.Status}}"];
        let nodes = self.manage(&nodes).await?;
        let services = ["service", "ls", "--format={{.Replicas}}"];
        let services = self.manage(&services).await?;
        let number = |text: &str| text.trim().parse::<u32>().ok();
        let whole = |line: &str| {
            let counts = line.split_once('/');
            counts.is_some_and(|(have, want)| number(have) >= number(want))
        };
        Ok(nodes.lines().all(|status| status == "Ready") && services.lines().all(whole))
    }

    /// The containers that run on all nodes that are on.
    pub(super) async fn containers(&self) -> Result<Vec<(Node, Container)>, SystemError> {
        let on = |node| async move {
            let found = Container::list(|words| self.command(node, words), &[]).await;
            // A node that has just died has none.
            let found = found.unwrap_or_default().into_iter();
            found.map(|container| (node, container)).collect::<Vec<_>>()
        };
        Ok(join_all(self.alive().await?.into_iter().map(on))
            .await
            .concat())
    }

    /// The containers of a service on a node, those that have ended too.
    pub(super) async fn all_of(
        &self,
        node: Node,
        service: Service,
    ) -> Result<Vec<String>, SystemError> {
        let name = match service {
            Service::Db => format!("{}_postgres{node}", self.stack),
            Service::Api | Service::Worker => format!("{}_{service}", self.stack),
        };
        let filter = format!("label=com.docker.swarm.service.name={name}");
        let list = ["ps", "--all", "--no-trunc", "--quiet", "--filter", &filter];
        let told = self.docker(node, &list).await?;
        Ok(told.lines().map(str::to_owned).collect())
    }

    /// Whether the node is to have no tasks.
    pub(super) async fn drain(&self, node: Node, drained: bool) -> Result<(), SystemError> {
        let availability = if drained { "drain" } else { "active" };
        let id = ["info", "--format", "{{.Swarm.NodeID}}"];
        let id = self.docker(node, &id).await?;
        let update = ["node", "update", "--availability", availability, id.trim()];
        self.manage(&update).await.map(drop)
    }

    /// Where the engines' sockets are: made with the nodes, gone with them.
    pub(crate) fn folder(&self) -> PathBuf {
        Path::new("/run/holdfast-swarm").join(self.swarm.to_string())
    }
}
