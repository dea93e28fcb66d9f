//! The system whose API is checked.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use super::Scene;
use crate::error::LabError;
use crate::postgres::{Cluster, ClusterOptions};
use crate::settings::Settings;
use crate::stage::{Probe, Service, ServiceProcess};

const POLICIES: &str = include_str!("policies.toml");
/// Of an API that nobody else reaches: what operators may is checked as well.
pub(super) const ADMIN_TOKEN: &str = "api-check-of-its-own-system";
/// Every call that works takes as long.
const WORK_DELAY: &str = "5ms";

/// A throw-away Postgres, the worker and the API. Dropped, all of it ends.
pub(super) struct System {
    cluster: Cluster,
    worker: ServiceProcess,
    api: ServiceProcess,
    database_dead: bool,
}

impl System {
    /// Starts all of it on free ports and waits until it is ready.
    pub(super) async fn start(folder: &Path, settings: &Settings) -> Result<Self, LabError> {
        let cluster = Cluster::start(ClusterOptions::default()).await?;
        let policies = folder.join("policies.toml");
        fs::write(&policies, POLICIES).map_err(LabError::file("write", &policies))?;
        let delay = variables([("HOLDFAST_WORK_DELAY", WORK_DELAY.to_owned())]);
        let worker =
            ServiceProcess::start_own(Service::Worker, (folder, "worker"), delay, settings).await?;
        let variables = variables([
            ("HOLDFAST_WORKER_URL", worker.probe().base().to_owned()),
            ("DATABASE_URL", cluster.url()),
            ("HOLDFAST_POLICIES", policies.to_string_lossy().into_owned()),
            ("HOLDFAST_JOURNAL_DIR", "journal".to_owned()),
            ("HOLDFAST_ADMIN_TOKEN", ADMIN_TOKEN.to_owned()),
        ]);
        let api =
            ServiceProcess::start_own(Service::Api, (folder, "api"), variables, settings).await?;
        Ok(Self {
            cluster,
            worker,
            api,
            database_dead: false,
        })
    }

    /// Kills and starts until it is as in `scene`.
    pub(super) async fn play(&mut self, scene: Scene) -> Result<(), LabError> {
        if scene.worker_dead {
            self.worker.kill().await?;
        } else {
            self.worker.start().await?;
        }
        match (self.database_dead, scene.database_dead) {
            (false, true) => self.cluster.kill().await?,
            (true, false) => self.cluster.start_again().await?,
            _ => {}
        }
        self.database_dead = scene.database_dead;
        Ok(())
    }

    pub(super) fn api(&self) -> &Probe {
        self.api.probe()
    }

    /// Within which it promises to answer.
    pub(super) async fn bound(&self) -> Result<Duration, LabError> {
        let seconds = self.api().policies().await?.process.worst_case_seconds;
        Ok(Duration::try_from_secs_f64(seconds).unwrap_or_default())
    }
}

fn variables<const N: usize>(pairs: [(&str, String); N]) -> BTreeMap<String, String> {
    pairs.map(|(name, value)| (name.to_owned(), value)).into()
}
