//! The system under torture: a throw-away Postgres, the worker, one API or several on the same database, each with a
//! journal of its own. It lives in a temporary folder on free ports, and ends with this value.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::schedule::Target;
use super::victim::{Body, Victim};
use crate::error::LabError;
use crate::ports;
use crate::postgres::{Cluster, ClusterOptions};
use crate::settings::Settings;
use crate::stage::{Probe, Service, ServiceProcess};

const POLICIES: &str = include_str!("policies.toml");
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
        let (service, program) = match target {
            Target::Worker => (Service::Worker, "holdfast-worker"),
            _ => (Service::Api, "holdfast-api"),
        };
        let binary = settings.binaries.join(program);
        if !binary.is_file() {
            return Err(LabError::NotBuilt(binary));
        }
        let port = ports::free().map_err(LabError::file("find", "a free port"))?;
        variables.insert("HOLDFAST_BIND".to_owned(), format!("127.0.0.1:{port}"));
        variables.insert("HOLDFAST_WORK_DELAY".to_owned(), WORK_DELAY.to_owned());
        variables.extend(settings.passed_on.clone());
        let name = target.to_string();
        let mut process =
            ServiceProcess::new(service, binary, (&self.folder, &name), port, variables)?;
        process.start().await?;
        let probe = process.probe().clone();
        self.victims
            .push(Victim::new(target, Body::Service(process)));
        Ok(probe)
    }

    /// Within which every call is answered, as the first API publishes it.
    pub(super) async fn bound(&self) -> Result<Duration, LabError> {
        let first = self.apis.first().ok_or(LabError::NotUp)?;
        let seconds = first.policies().await?.process.worst_case_seconds;
        Ok(Duration::try_from_secs_f64(seconds).unwrap_or_default())
    }

    /// Heals all that is still hurt.
    pub(super) async fn heal(&mut self) -> Result<(), LabError> {
        for victim in &mut self.victims {
            victim.start().await?;
        }
        Ok(())
    }

    /// Calls of the worker so far.
    pub(super) async fn worker_calls(&self) -> u64 {
        let mut calls = 0;
        for victim in &self.victims {
            calls += victim.calls().await;
        }
        calls
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
