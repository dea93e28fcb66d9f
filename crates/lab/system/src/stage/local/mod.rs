//! The local stage: worker, API and a throw-away Postgres as processes of this machine.
//!
//! The processes outlive the command that started them; what they are is recorded under `.lab/`. `up` repairs a stage that
//! is recorded and keeps its data; only `down` deletes them.

mod actions;
mod launch;
mod lock;
mod schema;
mod state;
mod up;

use std::fs;
use std::path::{Path, PathBuf};

use state::State;

use super::admin_client::AdminClient;
use super::{Condition, Service};
use crate::accepted;
use crate::error::SystemError;
use crate::output::Console;
use crate::settings::{Ports, Settings};

/// Where the API keeps what Postgres could not record: data, as the database's are, so it outlives a killed API.
const JOURNAL: &str = "journal";

/// The three services on this machine.
#[derive(Debug, Clone)]
pub struct Local {
    folder: PathBuf,
    settings: Settings,
    console: Console,
}

impl Local {
    /// The stage whose state is kept in `folder`.
    pub fn new(settings: &Settings, folder: PathBuf, console: Console) -> Self {
        Self {
            folder,
            settings: settings.clone(),
            console,
        }
    }

    /// Where what belongs to the stage is kept, the file of accepted requests among it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The same stage, without a word.
    pub fn quietly(&self) -> Self {
        Self {
            console: self.console.quietly(),
            ..self.clone()
        }
    }

    /// Whether there is anything that `down` would delete.
    pub fn holds_data(&self) -> Result<bool, SystemError> {
        let state = State::load(&self.folder)?;
        Ok(state.is_some_and(|state| state.may_owe()) || holds_files(&self.folder.join(JOURNAL)))
    }

    /// Whether any of its processes lives.
    pub fn is_up(&self) -> Result<bool, SystemError> {
        Ok(State::load(&self.folder)?.is_some_and(|state| state.is_alive()))
    }

    /// Where it listens: as recorded while it is up, else as the settings say.
    pub fn ports(&self) -> Result<Ports, SystemError> {
        Ok(State::load(&self.folder)?.map_or(self.settings.ports, |state| state.ports))
    }

    /// Stops everything and deletes the data, also what a crash has left: what that was. Nothing to stop is fine.
    pub async fn down(&self) -> Result<Vec<String>, SystemError> {
        let _lock = lock::take(&self.folder, &self.console).await?;
        let mut deleted = Vec::new();
        if let Some(state) = State::load(&self.folder)? {
            if state.db.has_data() {
                deleted.push(format!("the database {}", state.db.folder.display()));
            }
            self.end(&state).await?;
        }
        let journal = self.folder.join(JOURNAL);
        if holds_files(&journal) {
            deleted.push(format!("the API's journal {}", journal.display()));
        }
        self.delete(JOURNAL)?;
        deleted.extend(accepted::forget(&self.folder)?);
        Ok(deleted)
    }

    /// How each service is.
    pub async fn conditions(&self) -> Result<Vec<(Service, Condition)>, SystemError> {
        let state = State::load(&self.folder)?.ok_or(SystemError::NotUp)?;
        let mut conditions = Vec::new();
        for service in Service::ALL {
            conditions.push((service, condition(&state, service).await));
        }
        Ok(conditions)
    }

    /// The log files, or one service's.
    pub fn logs(&self, service: Option<Service>) -> Vec<(Service, PathBuf)> {
        let wanted = service.map_or_else(|| Service::ALL.to_vec(), |service| vec![service]);
        let files = wanted
            .into_iter()
            .map(|service| (service, launch::log(&self.folder, service)));
        files.filter(|(_, file)| file.is_file()).collect()
    }

    /// Kills all processes and deletes the database; the logs stay until the next `up`, the journal until `down`.
    async fn end(&self, state: &State) -> Result<(), SystemError> {
        for service in [Service::Api, Service::Worker, Service::Db] {
            let killed = state.tree(service).kill().await;
            killed.map_err(SystemError::stuck(service))?;
        }
        state.db.delete()?;
        self.delete("run")?;
        State::remove(&self.folder)
    }

    /// Deletes a folder of the stage's; one that is not there is fine.
    fn delete(&self, name: &str) -> Result<(), SystemError> {
        let path = self.folder.join(name);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(SystemError::file("delete", path)(error))
            }
            _ => Ok(()),
        }
    }
}

/// Whether anything is in the folder, which may be missing.
fn holds_files(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut items| items.next().is_some())
}

async fn condition(state: &State, service: Service) -> Condition {
    let tree = state.tree(service);
    let Some(pid) = tree.pid() else {
        return Condition::Dead;
    };
    if tree.is_paused() {
        return Condition::Paused { pid: Some(pid) };
    }
    let answer = match service {
        Service::Db => state.db.answers("holdfast").await,
        _ => AdminClient::new(state.port(service)).ready().await,
    };
    Condition::Running {
        pid: Some(pid),
        ill: answer.err(),
    }
}
