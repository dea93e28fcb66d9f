//! The scene as a Swarm: the stack of the stage on three nodes of the experiments' own. The nodes outlive a trial, the stack
//! does not.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use tempfile::TempDir;

use super::Making;
use crate::error::SystemError;
use crate::look::Look;
use crate::output::Console;
use crate::plan::Target;
use crate::ports;
use crate::settings::{Ports, Settings};
use crate::stage::{Node, NodeAction, Probe, Service, Swarm};

/// Where the APIs and the workers are published on each node: `deploy/stack.yml`.
const API: u16 = 8080;
const WORKER: u16 = 8081;

/// The nodes, with the images.
#[derive(Debug)]
pub struct SwarmGround {
    swarm: Swarm,
}

impl SwarmGround {
    pub(super) async fn prepare(
        settings: &Settings,
        console: Console,
    ) -> Result<Self, SystemError> {
        let free = || ports::free().map_err(SystemError::file("find", "a free port"));
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
        Ok(Self { swarm })
    }

    pub(super) async fn leave(&self) -> Result<(), SystemError> {
        self.swarm.down().await.map(drop)
    }
}

/// Everything ends with [`SwarmScene::lower`].
#[derive(Debug)]
pub(super) struct SwarmScene {
    swarm: Swarm,
    hurt: OnceLock<Node>,
    folder: TempDir,
}

impl SwarmScene {
    pub(super) async fn raise(ground: &SwarmGround, making: &Making) -> Result<Self, SystemError> {
        let folder = TempDir::new().map_err(SystemError::file("make", "a temporary folder"))?;
        let policies = folder.path().join("policies.toml");
        fs::write(&policies, &making.policies).map_err(SystemError::file("write", &policies))?;
        let variables = [
            ("HOLDFAST_POLICIES", policies.to_string_lossy().into_owned()),
            // What the breakers did is read from the log.
            ("RUST_LOG", "info".to_owned()),
            ("HOLDFAST_LOG_FORMAT", "json".to_owned()),
        ];
        let variables = variables.into_iter().chain(making.worker().variables());
        let variables = variables.map(|(name, value)| (name.to_owned(), value));
        let swarm = ground.swarm.with_variables(variables);
        if let Err(error) = swarm.deploy().await {
            swarm.withdraw().await?;
            return Err(error);
        }
        Ok(Self {
            swarm,
            hurt: OnceLock::new(),
            folder,
        })
    }

    pub(super) fn ports(&self) -> Ports {
        self.swarm.ports()
    }

    /// Each worker itself.
    pub(super) fn workers(&self) -> Vec<Probe> {
        let nodes = Swarm::NODES.into_iter();
        let at = |node| format!("http://{}:{WORKER}", self.swarm.address(node));
        nodes.map(at).map(Probe::at).collect()
    }

    /// A node by its API; all else through the balancer.
    pub(super) async fn look(&self, target: Target, patience: Duration) -> Look {
        let ports = self.swarm.ports();
        let address = match target {
            Target::Worker => ports::loopback(ports.worker).to_string(),
            Target::Database => ports::loopback(ports.db).to_string(),
            Target::Api => ports::loopback(ports.api).to_string(),
            Target::Node => match self.hurt.get() {
                Some(node) => format!("{}:{API}", self.swarm.address(*node)),
                None => return Look::Refused,
            },
        };
        Look::at(target, &address, patience).await
    }

    pub(super) async fn kill(&self, service: Service) -> Result<(), SystemError> {
        self.swarm.kill(service).await
    }

    pub(super) async fn start(&self, service: Service) -> Result<(), SystemError> {
        self.swarm.start(service).await
    }

    /// The node that is hurt stays the same, wherever the primary goes meanwhile.
    pub(super) async fn act_on_node(&self, action: NodeAction) -> Result<(), SystemError> {
        let node = match self.hurt.get() {
            Some(node) => *node,
            None => {
                let primary = self.swarm.primary().await;
                let none = || SystemError::CannotBreak("no node of Postgres leads");
                let primary = primary.ok_or_else(none)?;
                *self.hurt.get_or_init(|| primary)
            }
        };
        self.swarm.act_on(node, action).await
    }

    /// What all that is of the service have logged so far.
    pub(super) async fn printed(&self, service: Service) -> Result<String, SystemError> {
        self.swarm.printed(service).await
    }

    pub(super) async fn keep(&mut self) -> Result<PathBuf, SystemError> {
        self.folder.disable_cleanup(true);
        for service in Service::ALL {
            let log = self.folder.path().join(format!("{service}.log"));
            let printed = self.printed(service).await?;
            fs::write(&log, printed).map_err(SystemError::file("write", &log))?;
        }
        Ok(self.folder.path().to_owned())
    }

    pub(super) async fn lower(self) -> Vec<String> {
        let ended = self.swarm.withdraw().await;
        ended
            .err()
            .map(|error| error.to_string())
            .into_iter()
            .collect()
    }
}

/// Ends what a run has left that is dead.
pub async fn end_stale(settings: &Settings, console: Console) -> Result<(), SystemError> {
    let swarm = Swarm::of_its_own(settings.ports, settings, console.quietly());
    swarm.down().await.map(drop)
}
