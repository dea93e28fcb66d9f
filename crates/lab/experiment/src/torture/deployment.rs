//! The system under torture: a worker whose answers can be told apart, one API or several on the same database, each with a
//! journal of its own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use holdfast_system::error::SystemError;

use super::player::Player;
use super::worker;
use crate::settings::Settings;
use crate::system::{ApiSpec, Part, System, SystemSpec, WorkerSpec};

/// By which it recovers within seconds.
pub const POLICIES: &str = include_str!("policies.toml");
/// Within which those policies have every call answered: 2 * (1100 + 500) + 1300 ms. What the API publishes is held to it.
pub(super) const BOUND: Duration = Duration::from_millis(5_500);
/// Quick, so that a call's two seconds are not the bound of everything.
const WORK_DELAY: Duration = Duration::from_millis(300);

/// What runs, and where.
#[derive(Debug)]
pub(super) struct Deployment {
    pub(super) system: System,
    pub(super) players: Vec<Player>,
    pub(super) folder: PathBuf,
}

impl Deployment {
    /// Starts all of it and waits until it is ready.
    pub(super) async fn start(
        folder: &Path,
        replicas: usize,
        settings: &Settings,
    ) -> Result<Self, SystemError> {
        let system = System::start_in(folder, &spec(replicas), settings).await?;
        let parts = Part::all(replicas).into_iter();
        Ok(Self {
            system,
            players: parts.map(Player::new).collect(),
            folder: folder.to_owned(),
        })
    }

    /// Where the APIs are called.
    pub(super) fn urls(&self) -> Vec<String> {
        let apis = self.system.apis().into_iter();
        apis.map(|api| api.base().to_owned()).collect()
    }

    /// The bound that each API publishes.
    pub(super) async fn published(&self) -> Result<Vec<Duration>, SystemError> {
        let mut bounds = Vec::new();
        for api in self.system.apis() {
            let seconds = api.policies().await?.process.worst_case_seconds;
            bounds.push(Duration::try_from_secs_f64(seconds).unwrap_or_default());
        }
        Ok(bounds)
    }

    /// Heals all that is still broken; what did not come back, and why.
    pub(super) async fn heal(&self) -> Vec<SystemError> {
        let mut failed = Vec::new();
        // First, or the one that is waited for may be waiting for one that stands still.
        for player in &self.players {
            failed.extend(self.system.resume(player.part).await.err());
        }
        for player in &self.players {
            failed.extend(self.system.start(player.part).await.err());
        }
        failed
    }

    /// Calls of the worker so far; none: they could not be counted.
    pub(super) async fn worker_calls(&self) -> Option<u64> {
        let mut workers = self.players.iter();
        let worker = workers.find(|player| player.part == Part::Worker)?;
        worker.calls(&self.system).await
    }

    /// Ends all of it; the folder keeps the logs, Postgres' too.
    pub(super) async fn end(mut self) {
        // What cannot be kept is missed by whoever looks for it.
        let _ = self.system.keep().await;
        // What does not react is killed once more when it is dropped.
        drop(self.system.lower().await);
    }
}

fn spec(replicas: usize) -> SystemSpec {
    let worker = WorkerSpec {
        stand_in: Some(worker::COMMAND),
        ..WorkerSpec::new(WORK_DELAY)
    };
    let apis = (0..replicas).map(|index| ApiSpec::new(Part::Api(index).to_string(), POLICIES));
    SystemSpec::new(worker, apis.collect())
}
