//! The system under torture: a throw-away Postgres, a worker whose answers can be told apart, one API or several on the same database, each with a
//! journal of its own. It lives in a temporary folder on free ports, and ends with this value.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};

use super::schedule::Target;
use super::victim::{Body, Victim};
use super::worker;
use crate::error::LabError;
use crate::postgres::{Cluster, ClusterOptions};
use crate::settings::Settings;
use crate::stage::{Probe, Service, ServiceProcess};

const POLICIES: &str = include_str!("policies.toml");
/// Within which those policies have every call answered: 2 * (1100 + 500) + 1300 ms. What the API publishes is held to it.
pub(super) const BOUND: Duration = Duration::from_millis(5_500);
/// Quick, so that a call's two seconds are not the bound of everything.
const WORK_DELAY: &str = "300ms";

/// What runs, and where.
#[derive(Debug)]
pub(super) struct Deployment {
    pub(super) victims: Vec<Victim>,
    pub(super) apis: Vec<Probe>,
    pub(super) db_port: u16,
    pub(super) folder: PathBuf,
}

impl Deployment {
    /// Starts all of it and waits until it is ready.
    pub(super) async fn start(
        folder: &Path,
        replicas: usize,
        settings: &Settings,
    ) -> Result<Self, LabError> {
        let cluster = Cluster::start(ClusterOptions::default()).await?;
        let mut deployment = Self {
            victims: Vec::new(),
            apis: Vec::new(),
            db_port: cluster.port(),
            folder: folder.to_owned(),
        };
        let database = cluster.url();
        deployment
            .victims
            .push(Victim::new(Target::Db, Body::Db(cluster)));
        let policies = folder.join("policies.toml");
        fs::write(&policies, POLICIES).map_err(LabError::file("write", &policies))?;
        let worker = deployment
            .add(Target::Worker, BTreeMap::new(), settings)
            .await?;
        for index in 0..replicas {
            let journal = folder.join(Target::Api(index).to_string()).join("journal");
            fs::create_dir_all(&journal).map_err(LabError::file("make", &journal))?;
            let variables = [
                ("HOLDFAST_WORKER_URL", worker.base().to_owned()),
                ("DATABASE_URL", database.clone()),
                ("HOLDFAST_POLICIES", text(&policies)),
                ("HOLDFAST_JOURNAL_DIR", text(&journal)),
            ];
            let variables = variables.map(|(name, value)| (name.to_owned(), value));
            let api = deployment.add(Target::Api(index), variables.into(), settings);
            let api = api.await?;
            deployment.apis.push(api);
        }
        Ok(deployment)
    }

    async fn add(
        &mut self,
        target: Target,
        mut variables: BTreeMap<String, String>,
        settings: &Settings,
    ) -> Result<Probe, LabError> {
        let service = match target {
            Target::Worker => Service::Worker,
            _ => Service::Api,
        };
        variables.insert("HOLDFAST_WORK_DELAY".to_owned(), WORK_DELAY.to_owned());
        let name = target.to_string();
        let home = (self.folder.as_path(), name.as_str());
        let process = match target {
            Target::Worker => {
                let lab = env::current_exe().map_err(LabError::file("find", "this program"))?;
                let program = (lab, worker::COMMAND);
                ServiceProcess::start_program(service, program, home, variables).await?
            }
            _ => ServiceProcess::start_own(service, home, variables, settings).await?,
        };
        let probe = process.probe().clone();
        self.victims
            .push(Victim::new(target, Body::Service(process)));
        Ok(probe)
    }

    /// The bound that each API publishes.
    pub(super) async fn published(&self) -> Result<Vec<Duration>, LabError> {
        let mut bounds = Vec::new();
        for api in &self.apis {
            let seconds = api.policies().await?.process.worst_case_seconds;
            bounds.push(Duration::try_from_secs_f64(seconds).unwrap_or_default());
        }
        Ok(bounds)
    }

    /// Where the APIs are called.
    pub(super) fn urls(&self) -> Vec<String> {
        let apis = self.apis.iter();
        apis.map(|api| api.base().to_owned()).collect()
    }

    /// Heals all that is still hurt; what did not come back, and why.
    pub(super) async fn heal(&mut self) -> Vec<LabError> {
        // First, or the one that is waited for may be waiting for one that stands still.
        for victim in &self.victims {
            victim.resume();
        }
        let mut failed = Vec::new();
        for victim in &mut self.victims {
            failed.extend(victim.start().await.err());
        }
        failed
    }

    /// Calls of the worker so far; none: they could not be counted.
    pub(super) async fn worker_calls(&self) -> Option<u64> {
        let mut workers = self.victims.iter();
        workers
            .find(|victim| victim.target == Target::Worker)?
            .calls()
            .await
    }

    /// Ends all of it; the folder keeps the logs, Postgres' too.
    pub(super) async fn end(self) {
        for victim in &self.victims {
            match &victim.body {
                // What cannot be copied is missed by whoever looks for it, and by nobody else.
                Body::Db(cluster) => drop(fs::copy(cluster.log(), self.folder.join("db.log"))),
                // What does not react is killed once more when it is dropped.
                Body::Service(process) => drop(process.kill().await),
            }
        }
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
