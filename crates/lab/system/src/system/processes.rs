//! The system as processes of this machine, on free ports. They end with this value.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};

use super::Part;
use super::process::Process;
use super::replicas::Replicas;
use crate::error::SystemError;
use crate::link::Link;
use crate::plan::Target;
use crate::ports;
use crate::probe::Probe;
use crate::run_dir::RunDir;
use crate::stage::{AdminClient, ServiceProcess};

/// All of it, up and ready.
#[derive(Debug)]
pub(super) struct Processes {
    // APIs, the worker, Postgres: they are dropped in this order, and none shall see the others die. Each has a lock of its
    // own: what one of them waits for holds up none of the others.
    pub(super) members: Vec<Member>,
    /// In the place of the one Postgres, where it is replicated.
    pub(super) replicas: Option<Replicas>,
    /// Workers beside the one that can be broken.
    pub(super) other_workers: Vec<ServiceProcess>,
    pub(super) links: Links,
    pub(super) folder: PathBuf,
    /// The folder, where it is the system's own; it is dropped after all that live in it.
    pub(super) run_dir: Option<RunDir>,
}

/// A part; where it listens is the same for as long as it lives.
#[derive(Debug)]
pub(super) struct Member {
    part: Part,
    port: u16,
    is_contender: bool,
    process: Mutex<Process>,
}

impl Member {
    pub(super) fn new(part: Part, process: Process) -> Self {
        Self {
            part,
            port: process.port(),
            is_contender: process.is_contender(),
            process: Mutex::new(process),
        }
    }
}

impl Processes {
    pub(super) fn ports(&self) -> Vec<(Part, u16)> {
        let members = self.members.iter();
        members.map(|one| (one.part, one.port)).collect()
    }

    /// The questions to each worker, the one first that can be broken.
    pub(super) fn workers(&self) -> Vec<AdminClient> {
        let members = self.members.iter();
        let first = members.filter(|one| one.part == Part::Worker);
        let others = self.other_workers.iter().map(|worker| worker.port);
        let ports = first.map(|one| one.port).chain(others);
        ports.map(AdminClient::new).collect()
    }

    pub(super) async fn process(&self, part: Part) -> Result<MutexGuard<'_, Process>, SystemError> {
        Ok(self.member(part)?.process.lock().await)
    }

    fn member(&self, part: Part) -> Result<&Member, SystemError> {
        let mut members = self.members.iter();
        let found = members.find(|one| one.part == part);
        found.ok_or(SystemError::NotRunning(part.service()))
    }

    pub(super) async fn probe(
        &self,
        target: Target,
        on_the_link: bool,
        patience: Duration,
    ) -> Probe {
        let Ok(member) = self.member(target.into()) else {
            return Probe::Refused;
        };
        let link = self.links.get(&target).filter(|_| on_the_link);
        let address = ports::loopback(port_of(link, member.port));
        match Probe::at(target, &address.to_string(), patience).await {
            // A contender need not serve the route that ours is looked at by: any answer shows that it lives.
            Probe::Error { .. } if member.is_contender => Probe::Well {
                after: Duration::ZERO,
            },
            probe => probe,
        }
    }

    pub(super) fn api_log(&self) -> Result<String, SystemError> {
        let log = self.folder.join("api.log");
        fs::read_to_string(&log).map_err(SystemError::file("read", log))
    }

    /// Has the folder stay, with Postgres' log where those of the services are.
    pub(super) async fn keep(&mut self) -> PathBuf {
        if let Some(folder) = &mut self.run_dir {
            folder.keep();
        }
        if let Some(replicas) = &self.replicas {
            replicas.keep_logs(&self.folder).await;
        }
        for member in &self.members {
            if let Process::Db(cluster) = &*member.process.lock().await {
                // What cannot be copied is missed by whoever looks for it, and by nobody else.
                let _ = fs::copy(cluster.log(), self.folder.join("db.log"));
            }
        }
        self.folder.clone()
    }

    /// Ends all of it; what is still there afterwards.
    pub(super) async fn lower(self) -> Vec<String> {
        for member in &self.members {
            member.process.lock().await.resume();
        }
        let mut left = Vec::new();
        for member in &self.members {
            left.extend(member.process.lock().await.kill().await.err());
        }
        if let Some(replicas) = &self.replicas {
            left.extend(replicas.lower().await.err());
        }
        for worker in &self.other_workers {
            left.extend(worker.kill().await.err());
        }
        left.iter().map(ToString::to_string).collect()
    }
}

/// The link to each dependency, where there is one.
pub(super) type Links = BTreeMap<Target, Arc<Link>>;

/// Where a dependency is reached: by its link, where there is one.
pub(super) fn port_of(link: Option<&Arc<Link>>, own: u16) -> u16 {
    match link.map(Arc::as_ref) {
        Some(Link::Local(proxy)) => proxy.addr().port(),
        _ => own,
    }
}
