//! Starting the API and the worker as processes that outlive the command.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::JOURNAL;
use super::state::State;
use crate::error::SystemError;
use crate::postgres;
use crate::process::{self, Launched, ProcessTree};
use crate::stage::Service;

/// Where a service's process lives: a folder of its own, which also finds it should its record be lost.
pub(super) fn tree(folder: &Path, service: Service) -> Result<ProcessTree, SystemError> {
    let home = folder.join("run").join(service.name());
    Ok(ProcessTree::at(&home, program(service))?)
}

pub(super) fn log(folder: &Path, service: Service) -> PathBuf {
    folder.join(format!("{service}.log"))
}

/// Starts the service's process and records its identity in `state`, which the caller saves.
pub(super) fn launch(
    state: &mut State,
    service: Service,
    binary: &Path,
    folder: &Path,
    passed_on: &BTreeMap<String, String>,
) -> Result<Launched, SystemError> {
    let mut command = Command::new(binary);
    // Nothing of the caller's shell reaches a service but what is meant for it.
    command
        .env_clear()
        .envs(environment(state, service, folder))
        .envs(&state.passed_on)
        .envs(passed_on);
    let tree = state.tree_mut(service);
    let launched = process::launch(command, &tree.home, &log(folder, service))?;
    tree.leader = Some(launched.identity.clone());
    Ok(launched)
}

fn environment(state: &State, service: Service, folder: &Path) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::from([(
        "HOLDFAST_BIND".to_owned(),
        format!("127.0.0.1:{}", state.port(service)),
    )]);
    if service == Service::Api {
        let worker = format!("http://127.0.0.1:{}", state.ports.worker);
        variables.insert("HOLDFAST_WORKER_URL".to_owned(), worker);
        variables.insert("DATABASE_URL".to_owned(), postgres::api_url(state.ports.db));
        variables.insert(
            "HOLDFAST_JOURNAL_DIR".to_owned(),
            folder.join(JOURNAL).to_string_lossy().into_owned(),
        );
    }
    variables
}

pub(super) fn program(service: Service) -> &'static str {
    match service {
        Service::Worker => "holdfast-worker",
        Service::Api => "holdfast-api",
        Service::Db => "postgres",
    }
}
