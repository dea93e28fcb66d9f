//! What the local stage remembers between commands, in `.lab/local.json`.
//!
//! It is written before anything is started and after each start, all of it or nothing, so that a crash at any point
//! leaves a record of every folder in which processes may live.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use serde::{Deserialize, Serialize};

use crate::error::SystemError;
use crate::files::{deleted, write_json};
use crate::postgres::Server;
use crate::process::ProcessTree;
use crate::settings::Ports;
use crate::stage::Service;

const FILE: &str = "local.json";

/// A stage that is up, or was when its processes were last seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    /// Whether `up` got to its end.
    pub(super) complete: bool,
    pub(super) ports: Ports,
    /// The caller's variables at `up`: a service started later gets the same.
    pub(super) passed_on: BTreeMap<String, String>,
    pub(super) worker: ProcessTree,
    pub(super) api: ProcessTree,
    pub(super) db: Server,
}

impl State {
    /// The recorded stage; none: no stage is up.
    pub(super) fn load(folder: &Path) -> Result<Option<Self>, SystemError> {
        let path = folder.join(FILE);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            result => result.map_err(SystemError::file("read", &path))?,
        };
        let state = serde_json::from_slice(&bytes).map_err(io::Error::from);
        state.map_err(SystemError::file("understand", path))
    }

    pub(super) fn save(&self, folder: &Path) -> Result<(), SystemError> {
        // The operator's token is among what is passed on: nobody else's to read.
        let path = folder.join(FILE);
        write_json(&path, self).map_err(SystemError::file("write", path))
    }

    pub(super) fn remove(folder: &Path) -> Result<(), SystemError> {
        let path = folder.join(FILE);
        let deleted = deleted(fs::remove_file(&path)).map(drop);
        deleted.map_err(SystemError::file("delete", path))
    }

    pub(super) fn tree(&self, service: Service) -> &ProcessTree {
        match service {
            Service::Worker => &self.worker,
            Service::Api => &self.api,
            Service::Db => &self.db.tree,
        }
    }

    pub(super) fn tree_mut(&mut self, service: Service) -> &mut ProcessTree {
        match service {
            Service::Worker => &mut self.worker,
            Service::Api => &mut self.api,
            Service::Db => &mut self.db.tree,
        }
    }

    pub(super) fn port(&self, service: Service) -> u16 {
        match service {
            Service::Worker => self.ports.worker,
            Service::Api => self.ports.api,
            Service::Db => self.ports.db,
        }
    }

    /// Whether the API has ever run: then it may have accepted something, and the data stay.
    pub(super) fn may_owe(&self) -> bool {
        self.complete || self.api.leader.is_some()
    }

    /// Other ports and variables, for a stage that is dead.
    pub(super) fn move_to(&mut self, ports: Ports, passed_on: BTreeMap<String, String>) {
        self.ports = ports;
        self.passed_on = passed_on;
        self.db.port = ports.db;
    }

    /// Whether any of the three lives: then the stage is up, if damaged.
    pub(super) fn is_alive(&self) -> bool {
        let mut services = Service::ALL.into_iter();
        services.any(|service| self.tree(service).is_alive())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn state(folder: &Path) -> State {
        let tree = |program: &str| ProcessTree::new(folder.join(program), program);
        let (api, worker, db) = (1, 2, 3);
        State {
            complete: true,
            ports: Ports { api, worker, db },
            passed_on: BTreeMap::from([("RUST_LOG".to_owned(), "debug".to_owned())]),
            worker: tree("holdfast-worker"),
            api: tree("holdfast-api"),
            db: Server::new(folder.join("db"), folder.join("db.log"), 3),
        }
    }

    #[test]
    fn a_state_is_read_back_as_it_was_written_and_forgotten_when_removed() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        assert_eq!(State::load(folder).unwrap(), None);
        let state = state(folder);
        state.save(folder).unwrap();
        assert_eq!(State::load(folder).unwrap(), Some(state.clone()));
        assert!(!state.is_alive() && state.may_owe());
        let written = fs::metadata(folder.join(FILE)).unwrap();
        let others = written.permissions().mode() & 0o077;
        assert_eq!(others, 0, "others may read the operator's token");
        State::remove(folder).unwrap();
        State::remove(folder).unwrap();
        assert_eq!(State::load(folder).unwrap(), None);
    }

    #[test]
    fn a_file_that_is_no_state_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "{").unwrap();
        let error = State::load(folder.path()).unwrap_err().to_string();
        assert!(error.contains("local.json"), "{error}");
    }
}
