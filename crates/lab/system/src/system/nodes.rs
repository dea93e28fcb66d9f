//! The system as a Swarm: the stack of the stage on three nodes of the experiments' own. The nodes outlive a trial, the stack
//! does not.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use tempfile::TempDir;

use super::SystemSpec;
use super::backend::{leave_logs, lock, not_started, told};
use super::start::free;
use crate::error::SystemError;
use crate::output::Console;
use crate::plan::Target;
use crate::ports;
use crate::probe::Probe;
use crate::settings::{Ports, Settings};
use crate::stage::{AdminClient, Node, NodeAction, Swarm};

/// Where the workers are published on each node: `deploy/stack.yml`.
const WORKER: u16 = 8081;

/// The lock on them: this machine has the experiments' nodes once, whichever checkout they are made from.
const LOCK: &str = "/run/lock/holdfast-swarm";

/// The nodes, and the right to use them.
#[derive(Debug)]
pub struct Machines {
    pub(super) swarm: Swarm,
    _lock: File,
}

/// The nodes, with the images.
pub(super) async fn prepare(
    settings: &Settings,
    console: Console,
) -> Result<Machines, SystemError> {
    let lock = lock(Path::new(LOCK))?;
    let ports = Ports {
        api: free()?,
        worker: free()?,
        db: free()?,
    };
    let swarm = Swarm::of_its_own(ports, settings, console.quietly());
    // What a killed run has left is in the way of this one.
    swarm.down().await?;
    console.say("three nodes, and the images for them, which takes minutes the first time");
    swarm.make_nodes().await?;
    Ok(Machines { swarm, _lock: lock })
}

/// Ends what a run has left that is dead.
pub(super) async fn end_stale(settings: &Settings, console: Console) -> Result<(), SystemError> {
    let _lock = lock(Path::new(LOCK))?;
    let swarm = Swarm::of_its_own(settings.ports, settings, console.quietly());
    swarm.down().await.map(drop)
}

/// Everything ends with [`super::System::lower`].
#[derive(Debug)]
pub(super) struct Nodes {
    pub(super) swarm: Swarm,
    /// The node that is broken: it stays the same, wherever the primary goes meanwhile.
    target: OnceLock<Node>,
    pub(super) folder: TempDir,
}

impl Nodes {
    pub(super) async fn raise(swarm: &Swarm, spec: &SystemSpec) -> Result<Self, SystemError> {
        let (folder, told) = told(spec)?;
        let mut nodes = Self {
            swarm: swarm.with_variables(told),
            target: OnceLock::new(),
            folder,
        };
        match nodes.swarm.deploy().await {
            Ok(()) => Ok(nodes),
            Err(error) => {
                // Before it is withdrawn: with the stack its logs go.
                let left = nodes.keep().await;
                Err(not_started(error, left, nodes.swarm.withdraw().await))
            }
        }
    }

    /// Each worker itself.
    pub(super) fn workers(&self) -> Vec<AdminClient> {
        let nodes = Swarm::NODES.into_iter();
        let at = |node| format!("http://{}:{WORKER}", self.swarm.address(node));
        nodes.map(at).map(AdminClient::at).collect()
    }

    /// A node by its API; all else through the balancer.
    pub(super) async fn probe(&self, target: Target, patience: Duration) -> Probe {
        let ports = self.swarm.ports();
        let address = match target {
            Target::Worker => ports::loopback(ports.worker).to_string(),
            Target::Database | Target::Standby => ports::loopback(ports.db).to_string(),
            Target::Api | Target::Replica(_) => ports::loopback(ports.api).to_string(),
            Target::Node => match self.target.get() {
                Some(node) => self.swarm.api(*node),
                None => return Probe::Refused,
            },
        };
        Probe::at(target, &address, patience).await
    }

    pub(super) async fn act_on(&self, action: NodeAction) -> Result<(), SystemError> {
        let node = match self.target.get() {
            Some(node) => *node,
            None => {
                let primary = self.swarm.primary().await;
                let primary =
                    primary.ok_or(SystemError::CannotBreak("no node of Postgres leads"))?;
                *self.target.get_or_init(|| primary)
            }
        };
        self.swarm.act_on(node, action).await
    }

    pub(super) async fn keep(&mut self) -> Result<PathBuf, SystemError> {
        let swarm = &self.swarm;
        leave_logs(&mut self.folder, async |it| swarm.printed(it).await).await
    }
}
