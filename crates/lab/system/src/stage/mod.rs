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
mod swarm;

pub use crate::service::Service;
pub use admin_client::AdminClient;
pub use compose::Compose;
pub(crate) use compose::Project;
pub use contender::Contender;
pub use local::Local;
pub use port::check_free;
pub use process::ServiceProcess;
pub(crate) use swarm::nodes::{API, WORKER};
pub use swarm::{Node, NodeAction, Swarm};

use std::fmt::Display;
use std::path::Path;

use holdfast_ops::signals::StopSignals;
use tokio::time::Instant;

use crate::error::SystemError;
use crate::output::{Console, Tone};
use crate::program;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    Running {
        /// The first of them, where there is one on this machine to name.
        pid: Option<i32>,
        /// Why it is not healthy; none: it is.
        ill: Option<String>,
    },
    Paused {
        pid: Option<i32>,
    },
    Dead,
}

impl Condition {
    pub fn is_healthy(&self) -> bool {
        matches!(self, Self::Running { ill: None, .. })
    }
}

/// One of the stages, chosen.
#[derive(Debug, Clone)]
pub enum Stage {
    Local(Local),
    Compose(Compose),
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
        let mut quiet = self.clone();
        let console = match &mut quiet {
            Self::Local(stage) => &mut stage.console,
            Self::Compose(stage) => &mut stage.console,
            Self::Swarm(stage) => &mut stage.console,
        };
        *console = console.quietly();
        quiet
    }

    /// Where what belongs to the stage is kept, the file of accepted requests among it: each has a folder of its own.
    pub fn folder(&self) -> &Path {
        on!(self, stage => &stage.folder)
    }

    /// Whether there is anything that `down` would delete.
    pub async fn holds_data(&self) -> Result<bool, SystemError> {
        on!(self, stage => stage.holds_data().await)
    }

    /// Whether anything of it lives.
    pub async fn is_up(&self) -> Result<bool, SystemError> {
        on!(self, stage => stage.is_up().await)
    }

    /// Brings all three services up and waits until they are healthy: what is there is kept.
    pub async fn up(&self) -> Result<(), SystemError> {
        on!(self, stage => stage.up().await)
    }

    /// Stops everything and deletes the data: what that was.
    pub async fn down(&self) -> Result<Vec<String>, SystemError> {
        on!(self, stage => stage.down().await)
    }

    /// Kills a service (SIGKILL). A dead one is fine.
    pub async fn kill(&self, service: Service) -> Result<(), SystemError> {
        on!(self, stage => stage.kill(service).await)
    }

    /// Starts a dead service on the data it had, or lets a paused one go on; returns when it is healthy.
    pub async fn start(&self, service: Service) -> Result<(), SystemError> {
        on!(self, stage => stage.start(service).await)
    }

    /// Stops a service with its port open: nobody answers. A paused one is fine.
    pub async fn pause(&self, service: Service) -> Result<(), SystemError> {
        match self {
            Self::Local(stage) => stage.pause(service).await,
            Self::Compose(stage) => stage.pause(service).await,
            // A task that is frozen fails its health check, and Swarm puts another in its place.
            Self::Swarm(_) => Err(SystemError::NoPauseOnSwarm),
        }
    }

    /// Lets a paused service go on; returns when it is healthy. A running one is fine.
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
        let runs = |(service, condition): &(Service, Condition)| {
            *service == Service::Api && matches!(condition, Condition::Running { .. })
        };
        if !conditions.iter().any(runs) {
            return Err(SystemError::NotRunning(Service::Api));
        }
        let mut apis = Vec::new();
        for api in self.apis().await? {
            match api.policies().await {
                Ok(policies) => apis.push((api, policies.reloads.count)),
                // Of a node that is off; it reads the file when it is on again.
                Err(error) => {
                    tell(console, Service::Api, format_args!("is not asked: {error}"));
                }
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
            let bound = read.process.worst_case_seconds;
            let what = "goes by its policy file as it is now: every call is answered within";
            tell(console, Service::Api, format_args!("{what} {bound} s"));
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

    pub async fn conditions(&self) -> Result<Vec<(Service, Condition)>, SystemError> {
        on!(self, stage => stage.conditions().await)
    }

    pub async fn api_port(&self) -> Result<u16, SystemError> {
        match self {
            Self::Local(stage) => Ok(stage.ports()?.api),
            Self::Compose(stage) => stage.api_port().await,
            Self::Swarm(stage) => Ok(stage.nodes.ports.api),
        }
    }
}

fn tell(console: Console, service: Service, what: impl Display) {
    console.say(format_args!("  {service:<7} {what}"));
}

/// That all is well with it, and how long that took.
fn well(console: Console, what: &str, since: Instant) -> String {
    let seconds = since.elapsed().as_secs_f64();
    format!("{} after {seconds:.1} s", console.paint(Tone::Good, what))
}

pub(crate) fn stop_signals() -> Result<StopSignals, SystemError> {
    StopSignals::listen().map_err(SystemError::file("listen for", "signals"))
}

/// Does this, unless Ctrl-C gives it up.
async fn unless_interrupted(
    mut signals: StopSignals,
    work: impl Future<Output = Result<(), SystemError>>,
) -> Result<(), SystemError> {
    tokio::select! {
        done = work => done,
        _ = signals.next() => Err(SystemError::Interrupted),
    }
}
