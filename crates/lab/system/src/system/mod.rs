//! The system under test: API, worker and Postgres, fresh, where nobody else is, with a breakable link between them where one is
//! wanted: as processes of this machine, as containers, or on nodes. It is made of one [`SystemSpec`], and ends with its value;
//! should the lab die, its guard ends it.
//!
//! It sees what its spec says and nothing else of the caller's environment: by a caller's policies or delay nobody would judge
//! or measure it.

mod arrivals;
mod backend;
mod containers;
mod nodes;
mod process;
mod processes;
mod replicas;
mod spec;
mod start;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use crate::stage::Contender;
pub use arrivals::Arrivals;
pub use backend::{Backend, end_stale};
use containers::Containers;
use nodes::Nodes;
use processes::Processes;
pub use replicas::Replicas;
pub use spec::{ApiSpec, Part, SystemSpec, WorkerSpec};

use crate::error::SystemError;
use crate::link::Link;
use crate::plan::Target;
use crate::probe::Probe;
use crate::stage::{AdminClient, Service};
use crate::trial::Observation;

/// All of it, up and ready.
#[derive(Debug)]
pub struct System {
    runtime: Runtime,
    parts: Vec<Listening>,
    workers: Vec<AdminClient>,
    /// Our own questions to the worker on the link, which counts them as requests.
    asked: Arc<AtomicU64>,
}

/// Where a part is asked, past any link; the same for as long as the system is there.
#[derive(Debug)]
struct Listening {
    part: Part,
    port: u16,
    client: AdminClient,
}

#[derive(Debug)]
enum Runtime {
    Processes(Box<Processes>),
    Containers(Box<Containers>),
    Nodes(Box<Nodes>),
}

impl System {
    pub fn folder(&self) -> PathBuf {
        match &self.runtime {
            Runtime::Processes(processes) => processes.folder.clone(),
            Runtime::Containers(containers) => containers.folder.path().to_owned(),
            Runtime::Nodes(nodes) => nodes.swarm.nodes.folder(),
        }
    }

    fn of_processes(processes: Processes) -> Self {
        let (ports, workers) = (processes.ports(), processes.workers());
        Self::at(ports, workers, Runtime::Processes(Box::new(processes)))
    }

    fn at(ports: Vec<(Part, u16)>, workers: Vec<AdminClient>, runtime: Runtime) -> Self {
        let listening = |(part, port)| Listening {
            part,
            port,
            client: AdminClient::new(port),
        };
        Self {
            runtime,
            parts: ports.into_iter().map(listening).collect(),
            workers,
            asked: Arc::default(),
        }
    }

    pub fn apis(&self) -> Vec<AdminClient> {
        if let Runtime::Nodes(nodes) = &self.runtime {
            return nodes.swarm.apis();
        }
        let apis = self.parts.iter();
        let apis = apis.filter(|one| matches!(one.part, Part::Api(_)));
        apis.map(|one| one.client.clone()).collect()
    }

    /// Questions to a part itself, past any link.
    pub fn client(&self, part: Part) -> Result<&AdminClient, SystemError> {
        self.part(part).map(|one| &one.client)
    }

    /// Where a part listens, past any link.
    pub fn port(&self, part: Part) -> Result<u16, SystemError> {
        self.part(part).map(|one| one.port)
    }

    fn part(&self, part: Part) -> Result<&Listening, SystemError> {
        let mut parts = self.parts.iter();
        let found = parts.find(|one| one.part == part);
        found.ok_or(SystemError::NotRunning(part.service()))
    }

    /// The link before a dependency; none: there is none.
    pub fn link(&self, target: Target) -> Option<&Arc<Link>> {
        match &self.runtime {
            Runtime::Processes(processes) => processes.links.get(&target),
            Runtime::Containers(containers) => containers.links.get(&target),
            Runtime::Nodes(_) => None,
        }
    }

    /// Looks at a service as the API would reach it.
    pub async fn probe(&self, target: Target, patience: Duration) -> Probe {
        self.look_at(target, true, patience).await
    }

    /// Looks at a service itself, past any link.
    pub async fn probe_past_the_link(&self, target: Target, patience: Duration) -> Probe {
        self.look_at(target, false, patience).await
    }

    async fn look_at(&self, target: Target, on_the_link: bool, patience: Duration) -> Probe {
        let probe = match &self.runtime {
            Runtime::Processes(processes) => processes.probe(target, on_the_link, patience).await,
            Runtime::Containers(containers) => {
                containers.probe(target, on_the_link, patience).await
            }
            Runtime::Nodes(nodes) => nodes.probe(target, patience).await,
        };
        if target == Target::Worker && on_the_link && probe.has_asked() {
            self.asked.fetch_add(1, Ordering::Relaxed);
        }
        probe
    }

    /// What counts the requests that arrive at the worker, whoever else holds the system.
    pub fn arrivals(&self) -> Arrivals {
        let link = self.link(Target::Worker).cloned();
        Arrivals::new(link, Arc::clone(&self.asked), self.workers.clone())
    }

    /// Kills a part (SIGKILL); its port refuses afterwards.
    pub async fn kill(&self, part: impl Into<Part>) -> Result<(), SystemError> {
        let part = part.into();
        match &self.runtime {
            Runtime::Processes(processes) => processes.process(part).await?.kill().await,
            Runtime::Containers(containers) => containers.compose.kill(part.service()).await,
            Runtime::Nodes(nodes) => nodes.swarm.kill(part.service()).await,
        }
    }

    /// Starts a part, unless it runs.
    pub async fn start(&self, part: impl Into<Part>) -> Result<(), SystemError> {
        let part = part.into();
        match &self.runtime {
            Runtime::Processes(processes) => processes.process(part).await?.start().await,
            Runtime::Containers(containers) => containers.compose.start_now(part.service()).await,
            Runtime::Nodes(nodes) => nodes.swarm.start(part.service()).await,
        }
    }

    /// Stops a part with its port open.
    pub async fn pause(&self, part: impl Into<Part>) -> Result<(), SystemError> {
        let part = part.into();
        match &self.runtime {
            Runtime::Processes(processes) => processes.process(part).await?.pause().await,
            Runtime::Containers(containers) => containers.compose.pause(part.service()).await,
            Runtime::Nodes(_) => Err(SystemError::NoPauseOnSwarm),
        }
    }

    /// Lets a part go on, if it stands still.
    pub async fn resume(&self, part: impl Into<Part>) -> Result<(), SystemError> {
        let part = part.into();
        match &self.runtime {
            Runtime::Processes(processes) => {
                processes.process(part).await?.resume();
                Ok(())
            }
            Runtime::Containers(containers) => containers.compose.resume(part.service()).await,
            Runtime::Nodes(_) => Err(SystemError::NoPauseOnSwarm),
        }
    }

    /// Puts another worker in place of the one there is, under the same name, at another address. From where to where.
    pub async fn replace_worker(&self) -> Result<(String, String), SystemError> {
        match &self.runtime {
            Runtime::Containers(containers) => containers.compose.replace(Service::Worker).await,
            Runtime::Processes(_) | Runtime::Nodes(_) => Err(SystemError::CannotBreak(
                "a process cannot be replaced: its name is its address",
            )),
        }
    }

    pub async fn api_log(&self) -> Result<String, SystemError> {
        match &self.runtime {
            Runtime::Processes(processes) => processes.api_log(),
            Runtime::Containers(containers) => containers.compose.printed(Service::Api).await,
            Runtime::Nodes(nodes) => nodes.swarm.printed(Service::Api).await,
        }
    }

    /// How a contender ends when it is asked to; none: the API is ours.
    pub async fn stop_contender(&self) -> Option<Observation> {
        match &self.runtime {
            Runtime::Processes(processes) => {
                processes.process(Part::Api(0)).await.ok()?.stop().await
            }
            Runtime::Containers(_) | Runtime::Nodes(_) => None,
        }
    }

    /// Where logs and journal stay when all is over.
    pub async fn keep(&mut self) -> Result<PathBuf, SystemError> {
        match &mut self.runtime {
            Runtime::Processes(processes) => Ok(processes.keep().await),
            Runtime::Containers(containers) => containers.keep().await,
            Runtime::Nodes(nodes) => nodes.keep().await,
        }
    }

    /// Ends all of it; what is still there afterwards.
    pub async fn lower(self) -> Vec<String> {
        let ended = match self.runtime {
            Runtime::Processes(processes) => return processes.lower().await,
            Runtime::Containers(containers) => containers.compose.down().await.map(drop),
            // The next trial's stack is the same one.
            Runtime::Nodes(_) => Ok(()),
        };
        ended.err().iter().map(ToString::to_string).collect()
    }
}
