//! A system of a command's own: a throw-away Postgres, the worker and APIs as processes of this machine, on free ports, in a
//! folder of the command's, with a breakable wire where one is wanted. It ends with its value.
//!
//! It sees what its [`SystemSpec`] says and nothing else of the caller's environment: by a caller's policies or delay nobody
//! would judge or measure it.

mod contender;
mod process;
mod spec;
mod start;
mod wires;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use holdfast_checker::plan::Target;
use holdfast_checker::trial::Sight;
use tokio::sync::Mutex;

pub use contender::Contender;
use process::Process;
pub use spec::{ApiSpec, Part, SystemSpec, WorkerSpec};
pub use start::{Reached, Site, port_of};
pub use wires::{Wired, Wires};

use crate::error::SystemError;
use crate::stage::{Probe, ServiceProcess};
use crate::wire::Wire;

/// All of it, up and ready.
#[derive(Debug)]
pub struct System {
    // APIs, the worker, Postgres: they are dropped in this order, and none shall see the others die.
    members: Vec<Member>,
    /// Workers beside the one that can be broken.
    others: Vec<ServiceProcess>,
    wires: Wires,
}

/// A process, and where it is asked; the same for as long as it lives. Each has a lock of its own: what one of them waits
/// for holds up none of the others.
#[derive(Debug)]
struct Member {
    part: Part,
    process: Mutex<Process>,
    probe: Probe,
    port: u16,
}

impl System {
    /// The questions to each API.
    pub fn apis(&self) -> Vec<Probe> {
        let apis = self.members.iter();
        let apis = apis.filter(|one| matches!(one.part, Part::Api(_)));
        apis.map(|one| one.probe.clone()).collect()
    }

    /// The questions to each worker, the one first that can be broken.
    pub fn workers(&self) -> Result<Vec<Probe>, SystemError> {
        let first = self.probe(Part::Worker)?.clone();
        let others = self.others.iter().map(|worker| worker.probe().clone());
        Ok(std::iter::once(first).chain(others).collect())
    }

    /// Questions to a service itself, past any wire.
    pub fn probe(&self, part: Part) -> Result<&Probe, SystemError> {
        self.member(part).map(|one| &one.probe)
    }

    /// Where a part listens, past any wire.
    pub fn port(&self, part: Part) -> Result<u16, SystemError> {
        self.member(part).map(|one| one.port)
    }

    /// The wire before a dependency; none: there is none.
    pub fn wire(&self, target: Target) -> Option<&Arc<Wire>> {
        self.wires.to(target)
    }

    /// Kills a part (SIGKILL); its port refuses afterwards.
    pub async fn kill(&self, part: Part) -> Result<(), SystemError> {
        self.member(part)?.process.lock().await.kill().await
    }

    /// Starts a part, unless it runs, and waits until it is ready.
    pub async fn start(&self, part: Part) -> Result<(), SystemError> {
        self.member(part)?.process.lock().await.start().await
    }

    /// Stops a part with its port open.
    pub async fn pause(&self, part: Part) -> Result<(), SystemError> {
        self.member(part)?.process.lock().await.pause().await
    }

    /// Lets a part go on, if it stands still.
    pub async fn resume(&self, part: Part) {
        if let Ok(member) = self.member(part) {
            member.process.lock().await.resume();
        }
    }

    /// How a contender ends when it is asked to; none: the API is ours.
    pub async fn stop_contender(&self) -> Option<Sight> {
        let member = self.member(Part::Api(0)).ok()?;
        member.process.lock().await.stop().await
    }

    /// Has Postgres' log stay in `folder`, where those of the services are.
    pub async fn leave_logs(&self, folder: &Path) {
        for member in &self.members {
            if let Process::Db(cluster) = &*member.process.lock().await {
                // What cannot be copied is missed by whoever looks for it, and by nobody else.
                let _ = fs::copy(cluster.log(), folder.join("db.log"));
            }
        }
    }

    /// Ends all of it; what is still there afterwards.
    pub async fn lower(self) -> Vec<String> {
        for member in &self.members {
            member.process.lock().await.resume();
        }
        let mut left = Vec::new();
        for member in &self.members {
            let killed = member.process.lock().await.kill().await;
            left.extend(killed.err().map(|error| error.to_string()));
        }
        for worker in self.others {
            left.extend(worker.kill().await.err().map(|error| error.to_string()));
        }
        left
    }

    fn member(&self, part: Part) -> Result<&Member, SystemError> {
        let mut members = self.members.iter();
        let found = members.find(|one| one.part == part);
        found.ok_or(SystemError::NotRunning(part.service()))
    }
}

impl Member {
    fn new(part: Part, process: Process) -> Self {
        let port = process.port();
        Self {
            part,
            probe: Probe::new(port),
            port,
            process: Mutex::new(process),
        }
    }
}
