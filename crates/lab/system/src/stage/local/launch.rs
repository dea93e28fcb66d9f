//! The API and the worker as processes that outlive the command.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::state::State;
use super::{JOURNAL, Local};
use crate::error::SystemError;
use crate::postgres;
use crate::process::{Launched, ProcessTree};
use crate::stage::{Service, ServiceProcess};

/// Where a service's process lives: a folder of its own, which also finds it should its record be lost.
pub(super) fn tree(folder: &Path, service: Service) -> Result<ProcessTree, SystemError> {
    let home = folder.join("run").join(service.name());
    Ok(ProcessTree::at(&home, program(service))?)
}

pub(super) fn log(folder: &Path, service: Service) -> PathBuf {
    folder.join(format!("{service}.log"))
}

pub(super) fn program(service: Service) -> &'static str {
    match service {
        Service::Worker => "holdfast-worker",
        Service::Api => "holdfast-api",
        Service::Db => "postgres",
    }
}

impl Local {
    pub(super) fn launch(
        &self,
        state: &mut State,
        service: Service,
    ) -> Result<Launched, SystemError> {
        self.settings.program(program(service))?;
        let mut process = self.process(state, service);
        let launched = process.launch()?;
        state.tree_mut(service).leader = process.tree.leader.clone();
        state.save(&self.folder)?;
        Ok(launched)
    }

    /// Waits until the service answers; `launched`, if it was started just now.
    pub(super) async fn healthy(
        &self,
        state: &State,
        service: Service,
        launched: Option<Launched>,
    ) -> Result<(), SystemError> {
        match service {
            Service::Db => Ok(state.db.ready("holdfast").await?),
            _ => self.process(state, service).ready(launched).await,
        }
    }

    fn process(&self, state: &State, service: Service) -> ServiceProcess {
        let mut variables = self.environment(state, service);
        variables.extend(state.passed_on.clone());
        variables.extend(self.settings.passed_on.clone());
        ServiceProcess {
            service,
            binary: self.settings.binaries.join(program(service)),
            arguments: Vec::new(),
            variables,
            tree: state.tree(service).clone(),
            log: log(&self.folder, service),
            port: state.port(service),
            contender: None,
            is_of_stage: true,
        }
    }

    fn environment(&self, state: &State, service: Service) -> BTreeMap<String, String> {
        let bind = format!("127.0.0.1:{}", state.port(service));
        let mut variables = BTreeMap::from([("HOLDFAST_BIND".to_owned(), bind)]);
        if service == Service::Api {
            let worker = format!("http://127.0.0.1:{}", state.ports.worker);
            let journal = self.folder.join(JOURNAL);
            variables.extend([
                ("HOLDFAST_WORKER_URL".to_owned(), worker),
                ("DATABASE_URL".to_owned(), postgres::api_url(state.ports.db)),
                (
                    "HOLDFAST_JOURNAL_DIR".to_owned(),
                    journal.to_string_lossy().into_owned(),
                ),
            ]);
        }
        variables
    }
}
