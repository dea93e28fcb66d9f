//! The local stage: worker, API and a throw-away Postgres as processes of this machine.
//!
//! The processes outlive the command that started them; what they are is recorded under `.lab/`. `up` on a stage of
//! which anything still lives repairs it and keeps the data; otherwise it starts fresh.

mod actions;
mod launch;
mod state;
mod turn;
mod up;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use state::State;

use super::health::Probe;
use super::{Condition, Service};
use crate::accepted;
use crate::error::LabError;
use crate::output::Console;
use crate::settings::{Ports, Settings};

/// Lines of a service's log that an error shows.
const LOG_LINES: usize = 10;
/// Where the API keeps what Postgres could not record: data, as the database's are, so it outlives a killed API.
const JOURNAL: &str = "journal";

/// The three services on this machine.
#[derive(Debug, Clone)]
pub struct Local {
    folder: PathBuf,
    binaries: PathBuf,
    ports: Ports,
    passed_on: BTreeMap<String, String>,
    console: Console,
}

impl Local {
    /// The stage whose state is kept in `folder`.
    #[must_use]
    pub fn new(settings: &Settings, folder: PathBuf, console: Console) -> Self {
        Self {
            folder,
            binaries: settings.binaries.clone(),
            ports: settings.ports,
            passed_on: settings.passed_on.clone(),
            console,
        }
    }

    /// Whether any of its processes lives.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub fn is_up(&self) -> Result<bool, LabError> {
        Ok(State::load(&self.folder)?.is_some_and(|state| state.is_alive()))
    }

    /// Where it listens: as recorded while it is up, else as the settings say.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub fn ports(&self) -> Result<Ports, LabError> {
        Ok(State::load(&self.folder)?.map_or(self.ports, |state| state.ports))
    }

    /// Stops everything and deletes the data, also what a crash has left. Nothing to stop is fine.
    ///
    /// # Errors
    /// When a process does not react or a file cannot be deleted.
    pub async fn down(&self) -> Result<(), LabError> {
        let _turn = turn::take(&self.folder, &self.console).await?;
        match State::load(&self.folder)? {
            Some(state) => self.clear(&state).await,
            None => Ok(()),
        }
    }

    /// How each service is.
    ///
    /// # Errors
    /// [`LabError::NotUp`].
    pub async fn conditions(&self) -> Result<Vec<(Service, Condition)>, LabError> {
        let state = State::load(&self.folder)?.ok_or(LabError::NotUp)?;
        let mut conditions = Vec::new();
        for service in Service::ALL {
            conditions.push((service, condition(&state, service).await));
        }
        Ok(conditions)
    }

    /// The log files, or one service's.
    #[must_use]
    pub fn logs(&self, service: Option<Service>) -> Vec<PathBuf> {
        let wanted = service.map_or_else(|| Service::ALL.to_vec(), |service| vec![service]);
        let files = wanted
            .into_iter()
            .map(|service| launch::log(&self.folder, service));
        files.filter(|file| file.is_file()).collect()
    }

    /// Kills all processes and deletes the data, and what clients were promised of it; the logs stay until the next `up`.
    async fn clear(&self, state: &State) -> Result<(), LabError> {
        for service in [Service::Api, Service::Worker, Service::Db] {
            let stuck = |pids| LabError::Stuck { service, pids };
            state.family(service).kill().await.map_err(stuck)?;
        }
        state.db.delete()?;
        self.delete(JOURNAL)?;
        self.delete("run")?;
        accepted::forget(&self.folder)?;
        State::remove(&self.folder)
    }

    /// Deletes a folder of the stage's; one that is not there is fine.
    fn delete(&self, name: &str) -> Result<(), LabError> {
        let path = self.folder.join(name);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(LabError::file("delete", path)(error))
            }
            _ => Ok(()),
        }
    }
}

async fn condition(state: &State, service: Service) -> Condition {
    let family = state.family(service);
    let Some(pid) = family.pid() else {
        return Condition::Dead;
    };
    if family.is_paused() {
        return Condition::Paused { pid: Some(pid) };
    }
    let answer = match service {
        Service::Db => state.db.answers("holdfast").await,
        _ => Probe::new(state.port(service)).ready().await,
    };
    Condition::Running {
        pid: Some(pid),
        ill: answer.err(),
    }
}
