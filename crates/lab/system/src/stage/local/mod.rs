//! The local stage: worker, API and a throw-away Postgres as processes of this machine.
//!
//! The processes outlive the command that started them; what they are is recorded under `.lab/`. `up` repairs a stage that
//! is recorded and keeps its data; only `down` deletes them.

mod actions;
mod launch;
mod state;
mod up;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use state::State;
use tokio::time::sleep;

use super::admin_client::AdminClient;
use super::{Condition, Service};
use crate::accepted;
use crate::error::SystemError;
use crate::files::deleted;
use crate::lock;
use crate::output::Console;
use crate::settings::{Ports, Settings};

/// Where the API keeps what Postgres could not record: data, as the database's are, so it outlives a killed API.
const JOURNAL: &str = "journal";
const LOCK_POLL: Duration = Duration::from_millis(100);

#[derive(Debug, Clone)]
pub struct Local {
    /// Where what belongs to the stage is kept, the file of accepted requests among it.
    pub(super) folder: PathBuf,
    settings: Settings,
    pub(super) console: Console,
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

    pub async fn holds_data(&self) -> Result<bool, SystemError> {
        let state = State::load(&self.folder)?;
        Ok(state.is_some_and(|state| state.may_owe()) || holds_files(&self.folder.join(JOURNAL)))
    }

    pub async fn is_up(&self) -> Result<bool, SystemError> {
        Ok(State::load(&self.folder)?.is_some_and(|state| state.is_alive()))
    }

    /// Where it listens: as recorded while it is up, else as the settings say.
    pub fn ports(&self) -> Result<Ports, SystemError> {
        Ok(State::load(&self.folder)?.map_or(self.settings.ports, |state| state.ports))
    }

    /// Stops everything and deletes the data, also what a crash has left: what that was. Nothing to stop is fine.
    pub async fn down(&self) -> Result<Vec<String>, SystemError> {
        let _lock = self.lock().await?;
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

    pub async fn conditions(&self) -> Result<Vec<(Service, Condition)>, SystemError> {
        let state = State::load(&self.folder)?.ok_or(SystemError::NotUp)?;
        let mut conditions = Vec::new();
        for service in Service::ALL {
            conditions.push((service, condition(&state, service).await));
        }
        Ok(conditions)
    }

    pub fn logs(&self, service: Option<Service>) -> Vec<(Service, PathBuf)> {
        let wanted = service.map_or(Service::ALL.to_vec(), |service| vec![service]);
        let files = wanted.into_iter();
        let files = files.map(|service| (service, launch::log(&self.folder, service)));
        files.filter(|(_, file)| file.is_file()).collect()
    }

    /// One command at a time changes the stage: waits until no other one does.
    async fn lock(&self) -> Result<File, SystemError> {
        let mut said = false;
        loop {
            if let Some(lock) = lock::try_take(&self.folder, "lock")? {
                return Ok(lock);
            }
            if !said {
                self.console
                    .say("waiting for another lab command to finish");
                said = true;
            }
            sleep(LOCK_POLL).await;
        }
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

    fn delete(&self, name: &str) -> Result<(), SystemError> {
        let path = self.folder.join(name);
        let deleted = deleted(fs::remove_dir_all(&path)).map(drop);
        deleted.map_err(SystemError::file("delete", path))
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
