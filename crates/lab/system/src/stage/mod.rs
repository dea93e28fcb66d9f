//! The stages: ways to run the three services, break each of them, and heal it.

mod admin_client;
mod choose;
mod compose;
mod container;
mod contender;
mod healthy;
mod images;
mod local;
mod port;
mod process;
mod ready;
mod swarm;

pub use crate::service::Service;
pub use admin_client::AdminClient;
pub use compose::Compose;
pub use compose::Project;
pub use contender::Contender;
pub use local::Local;
pub use port::check_free;
pub use process::ServiceProcess;
pub use swarm::{Node, NodeAction, Swarm};

use std::path::Path;

use crate::error::SystemError;
use crate::output::Console;
use crate::program;

/// How a service is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Its processes run.
    Running {
        /// The first of them, where there is one on this machine to name.
        pid: Option<i32>,
        /// Why it is not healthy; none: it is.
        ill: Option<String>,
    },
    /// Its processes are stopped.
    Paused {
        /// The first of them, where there is one on this machine to name.
        pid: Option<i32>,
    },
    /// There is none.
    Dead,
}

impl Condition {
    /// Whether it runs, and nothing ails it.
    pub fn is_healthy(&self) -> bool {
        matches!(self, Self::Running { ill: None, .. })
    }
}

/// One of the stages, chosen.
#[derive(Debug, Clone)]
pub enum Stage {
    /// Processes of this machine.
    Local(Local),
    /// Containers.
    Compose(Compose),
    /// Three machines.
    Swarm(Swarm),
}

/// Does the same thing on either stage.
macro_rules! on {
    ($self:ident, $stage:ident => $what:expr) => {
        match $self {
            Self::Local($stage) => $what,
            Self::Compose($stage) => $what,
            Self::Swarm($stage) => $what,
        }
    };
}

impl Stage {
    /// The same stage, without a word.
    pub fn quietly(&self) -> Self {
        match self {
            Self::Local(stage) => Self::Local(stage.quietly()),
            Self::Compose(stage) => Self::Compose(stage.quietly()),
            Self::Swarm(stage) => Self::Swarm(stage.quietly()),
        }
    }

    /// Where what belongs to the stage is kept: each has a folder of its own.
    pub fn folder(&self) -> &Path {
        on!(self, stage => stage.folder())
    }

    /// Whether there is anything that `down` would delete.
    pub async fn holds_data(&self) -> Result<bool, SystemError> {
        match self {
            Self::Local(stage) => stage.holds_data(),
            Self::Compose(stage) => stage.holds_data().await,
            Self::Swarm(stage) => Ok(stage.holds_data()),
        }
    }

    /// Brings all three services up and waits until they are healthy: what is there is kept.
    pub async fn up(&self) -> Result<(), SystemError> {
        on!(self, stage => stage.up().await)
    }

    /// Stops everything and deletes the data: what that was.
    pub async fn down(&self) -> Result<Vec<String>, SystemError> {
        on!(self, stage => stage.down().await)
    }

    /// Kills a service (SIGKILL).
    pub async fn kill(&self, service: Service) -> Result<(), SystemError> {
        on!(self, stage => stage.kill(service).await)
    }

    /// Starts a dead service, or lets a paused one go on.
    pub async fn start(&self, service: Service) -> Result<(), SystemError> {
        on!(self, stage => stage.start(service).await)
    }

    /// Stops a service with its port open.
    pub async fn pause(&self, service: Service) -> Result<(), SystemError> {
        match self {
            Self::Local(stage) => stage.pause(service).await,
            Self::Compose(stage) => stage.pause(service).await,
            // A task that is frozen fails its health check, and Swarm puts another in its place.
            Self::Swarm(_) => Err(SystemError::NoPauseOnSwarm),
        }
    }

    /// Lets a paused service go on.
    pub async fn resume(&self, service: Service) -> Result<(), SystemError> {
        match self {
            Self::Local(stage) => stage.resume(service).await,
            Self::Compose(stage) => stage.resume(service).await,
            Self::Swarm(_) => Err(SystemError::NoPauseOnSwarm),
        }
    }

    /// Does this to one machine of several.
    pub async fn act_on(&self, node: Node, action: NodeAction) -> Result<(), SystemError> {
        match self {
            Self::Swarm(stage) => stage.act_on(node, action).await,
            Self::Local(_) | Self::Compose(_) => Err(SystemError::NotSeveral),
        }
    }

    /// Has the API read its policy file again, and tells what came of it.
    pub async fn reload(&self, console: Console) -> Result<(), SystemError> {
        let conditions = self.conditions().await?;
        let api = conditions
            .iter()
            .find(|(service, _)| *service == Service::Api);
        if !matches!(api, Some((_, Condition::Running { .. }))) {
            return Err(SystemError::NotRunning(Service::Api));
        }
        let mut apis = Vec::new();
        for api in self.apis().await? {
            match api.policies().await {
                Ok(policies) => apis.push((api, policies.reloads.count)),
                // Of a node that is off; it reads the file when it is on again.
                Err(error) => console.say(format_args!("  api     is not asked: {error}")),
            }
        }
        if apis.is_empty() {
            return Err(SystemError::NotRunning(Service::Api));
        }
        on!(self, stage => stage.hang_up().await)?;
        for (api, before) in apis {
            let read = api.policies_read_after(before).await?;
            if let Some(reason) = read.reloads.refused {
                return Err(SystemError::PoliciesRefused(reason));
            }
            console.say(format_args!(
                "  api     goes by its policy file as it is now: every call is answered within {} s",
                read.process.worst_case_seconds
            ));
        }
        Ok(())
    }

    /// The questions to each API there is: on nodes, one each.
    pub async fn apis(&self) -> Result<Vec<AdminClient>, SystemError> {
        Ok(match self {
            Self::Local(_) | Self::Compose(_) => vec![AdminClient::new(self.api_port().await?)],
            Self::Swarm(stage) => stage.apis(),
        })
    }

    /// How each service is.
    pub async fn conditions(&self) -> Result<Vec<(Service, Condition)>, SystemError> {
        on!(self, stage => stage.conditions().await)
    }

    /// Where the API listens on the loopback address.
    pub async fn api_port(&self) -> Result<u16, SystemError> {
        match self {
            Self::Local(stage) => Ok(stage.ports()?.api),
            Self::Compose(stage) => stage.api_port().await,
            Self::Swarm(stage) => Ok(stage.ports().api),
        }
    }
}
