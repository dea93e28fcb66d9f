//! Starting the API and the worker as processes that outlive the command.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::state::State;
use crate::error::LabError;
use crate::postgres;
use crate::process::{Family, Identity};
use crate::stage::Service;

/// Where a service's process lives: a folder of its own, which also finds it should its record be lost.
pub(super) fn family(folder: &Path, service: Service) -> Result<Family, LabError> {
    let home = folder.join("run").join(service.name());
    fs::create_dir_all(&home).map_err(LabError::file("make", &home))?;
    let home = home.canonicalize().map_err(LabError::file("find", &home))?;
    Ok(Family {
        leader: None,
        home,
        program: program(service).to_owned(),
    })
}

/// The service's binary, which must be in `binaries`.
pub(super) fn binary(binaries: &Path, service: Service) -> Result<PathBuf, LabError> {
    let path = binaries.join(program(service));
    if path.is_file() {
        Ok(path)
    } else {
        Err(LabError::NotBuilt(path))
    }
}

pub(super) fn log(folder: &Path, service: Service) -> PathBuf {
    folder.join(format!("{service}.log"))
}

/// Starts the service's process and records its identity in `state`, which the caller saves.
pub(super) fn launch(
    state: &mut State,
    service: Service,
    binary: &Path,
    log: &Path,
    passed_on: &BTreeMap<String, String>,
) -> Result<(), LabError> {
    let cannot_log = || LabError::file("write", log);
    let output = File::options()
        .create(true)
        .append(true)
        .open(log)
        .map_err(cannot_log())?;
    let errors = output.try_clone().map_err(cannot_log())?;
    let mut command = Command::new(binary);
    // Nothing of the caller's shell reaches a service but what is meant for it.
    command
        .env_clear()
        .envs(environment(state, service))
        .envs(&state.passed_on)
        .envs(passed_on);
    command.current_dir(&state.family(service).home);
    // A group of its own: Ctrl-C in the terminal is for the command, not for the services.
    command
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .process_group(0);
    let child = command.spawn().map_err(LabError::file("run", binary))?;
    state.family_mut(service).leader = child.id().and_then(Identity::of);
    Ok(())
}

fn environment(state: &State, service: Service) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::from([(
        "HOLDFAST_BIND".to_owned(),
        format!("127.0.0.1:{}", state.port(service)),
    )]);
    if service == Service::Api {
        let worker = format!("http://127.0.0.1:{}", state.ports.worker);
        variables.insert("HOLDFAST_WORKER_URL".to_owned(), worker);
        variables.insert("DATABASE_URL".to_owned(), postgres::url(state.ports.db));
    }
    variables
}

fn program(service: Service) -> &'static str {
    match service {
        Service::Worker => "holdfast-worker",
        Service::Api => "holdfast-api",
        Service::Db => "postgres",
    }
}
