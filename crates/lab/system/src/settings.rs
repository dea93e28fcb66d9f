//! What the environment tells the lab, validated once.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use holdfast_ops::{Environment, EnvironmentError};
use serde::{Deserialize, Serialize};

use crate::error::SystemError;
use crate::hint::hint;
use crate::service::Service;
pub use holdfast_checker::stage::StageKind;

/// Variables that reach the services unchanged when set.
const PASSED_ON: [&str; 8] = [
    "HOLDFAST_WORK_DELAY",
    "HOLDFAST_WORK_CAPACITY",
    "HOLDFAST_WORK_WARMUP",
    "HOLDFAST_POLICIES",
    "HOLDFAST_ADMIN_TOKEN",
    "HOLDFAST_LOG_FORMAT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "RUST_LOG",
];
/// The lab's own folder, under the checkout's root.
const FOLDER: &str = ".lab";
/// Of experiments, under the checkout's root.
const RESULTS: &str = "results";
/// What makes a folder the root of a checkout.
const LANDMARK: &str = "deploy/compose.yml";

/// Ports on the loopback address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports {
    pub api: u16,
    pub worker: u16,
    pub db: u16,
}

impl Ports {
    /// Each with its variable, in the order in which a stage comes up.
    pub(crate) fn named(self) -> [(Service, u16, &'static str); 3] {
        [
            (Service::Db, self.db, "DB_PORT"),
            (Service::Worker, self.worker, "WORKER_PORT"),
            (Service::Api, self.api, "API_PORT"),
        ]
    }
}

#[derive(Debug, Clone)]
pub struct Settings {
    /// The checkout's root.
    pub root: PathBuf,
    /// `STAGE`; none: chosen by what is there.
    pub stage: Option<StageKind>,
    pub ports: Ports,
    /// The folder of the services' programs.
    pub binaries: PathBuf,
    /// Where runs of experiments leave what was seen.
    pub results: PathBuf,
    /// Whether programs that are missing may be installed: not with `HOLDFAST_INSTALL=no`.
    pub may_install: bool,
    /// What the services get to see of the caller's environment.
    pub passed_on: BTreeMap<String, String>,
}

impl Settings {
    /// Where the lab keeps what outlives a command: the local stage's state, the accepted requests.
    pub fn folder(&self) -> PathBuf {
        self.root.join(FOLDER)
    }

    /// That no stage was asked for which `command` does not play on.
    pub fn on_processes(&self, command: &'static str) -> Result<(), SystemError> {
        match self.stage {
            None | Some(StageKind::Local) => Ok(()),
            Some(_) => Err(SystemError::OnlyOnProcesses(command)),
        }
    }

    /// One of the programs that are built with the lab.
    pub fn program(&self, name: &str) -> Result<PathBuf, SystemError> {
        let program = self.binaries.join(name);
        match program.is_file() {
            true => Ok(program),
            false => Err(SystemError::NotBuilt(program)),
        }
    }

    /// Reads the environment; `folder` is where the lab was called, inside a checkout.
    pub fn read(environment: &Environment, folder: &Path) -> Result<Self, SystemError> {
        let mut above = folder.ancestors();
        let root = above.find(|folder| folder.join(LANDMARK).is_file());
        let root = root.ok_or_else(|| SystemError::NoCheckout(folder.to_owned()))?;
        let ports = Ports {
            api: port(environment, "API_PORT", 8080)?,
            worker: port(environment, "WORKER_PORT", 8081)?,
            db: port(environment, "DB_PORT", 54_320)?,
        };
        distinct(ports)?;
        Ok(Self {
            root: root.to_owned(),
            stage: stage(environment)?,
            ports,
            binaries: binaries(environment, folder),
            results: match environment.get("HOLDFAST_RESULTS") {
                Some(named) => folder.join(named),
                None => root.join(RESULTS),
            },
            may_install: may_install(environment)?,
            passed_on: passed_on(environment, folder),
        })
    }
}

fn port(environment: &Environment, name: &'static str, default: u16) -> Result<u16, SystemError> {
    let text = environment.get(name).map(str::to_owned);
    let text = text.unwrap_or_else(|| default.to_string());
    match text.parse() {
        Ok(port) if port > 0 => Ok(port),
        _ => {
            let problem = "not a port; give a number from 1 to 65535";
            Err(invalid(name, &text, problem))
        }
    }
}

fn distinct(ports: Ports) -> Result<(), SystemError> {
    let mut named = ports.named();
    // The API's port is the one that people know.
    named.reverse();
    for (index, (_, port, name)) in named.into_iter().enumerate() {
        if let Some((.., other)) = named[..index].iter().find(|(_, taken, _)| *taken == port) {
            let problem = format!("the same as {other}; give each its own");
            return Err(invalid(name, &port.to_string(), &problem));
        }
    }
    Ok(())
}

fn stage(environment: &Environment) -> Result<Option<StageKind>, SystemError> {
    let Some(told) = environment.get("STAGE") else {
        return Ok(None);
    };
    StageKind::from_str(told, false).map(Some).map_err(|_| {
        let hint = hint(told, &["compose", "local", "swarm", "virtual"]);
        let problem =
            format!("unknown; {hint}; give compose, local, swarm or virtual, or leave it unset");
        invalid("STAGE", told, &problem)
    })
}

fn may_install(environment: &Environment) -> Result<bool, SystemError> {
    match environment.get("HOLDFAST_INSTALL") {
        None | Some("yes") => Ok(true),
        Some("no") => Ok(false),
        Some(other) => Err(invalid("HOLDFAST_INSTALL", other, "give yes or no")),
    }
}

/// Next to the running program, unless `HOLDFAST_BINARIES` says otherwise.
fn binaries(environment: &Environment, folder: &Path) -> PathBuf {
    let named = environment.get("HOLDFAST_BINARIES");
    let own = || env::current_exe().ok()?.parent().map(Path::to_owned);
    named.map_or_else(|| own().unwrap_or_default(), |named| folder.join(named))
}

/// The policy file's path is made absolute: the services run in other folders.
fn passed_on(environment: &Environment, folder: &Path) -> BTreeMap<String, String> {
    let value = |name: &str| {
        let value = environment.get(name)?;
        Some(match name {
            "HOLDFAST_POLICIES" => folder.join(value).to_string_lossy().into_owned(),
            _ => value.to_owned(),
        })
    };
    let set = PASSED_ON.into_iter();
    let set = set.filter_map(|name| Some((name.to_owned(), value(name)?)));
    set.collect()
}

fn invalid(name: &'static str, value: &str, problem: &str) -> SystemError {
    SystemError::Setting(EnvironmentError::Invalid {
        name,
        value: value.to_owned(),
        problem: problem.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<const N: usize>(variables: [(&str, &str); N]) -> Result<Settings, String> {
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
        Settings::read(&Environment::from(variables), checkout).map_err(|error| error.to_string())
    }

    #[test]
    fn without_variables_the_published_ports_hold_and_the_stage_is_open() {
        let settings = read([("API_PORT", ""), ("STAGE", "")]).unwrap();
        let ports = settings.ports.named().map(|(_, port, _)| port);
        assert_eq!(ports, [54_320, 8081, 8080]);
        assert_eq!(settings.stage, None);
        assert!(settings.root.join("db/init.sql").is_file());
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_name_and_the_reason() {
        for (name, value, reason) in [
            ("WORKER_PORT", "0", "0"),
            ("WORKER_PORT", "65536", "65536"),
            ("WORKER_PORT", "http", "http"),
            // Two services cannot share one.
            ("WORKER_PORT", "8080", "the same as API_PORT"),
            ("STAGE", "kubernetes", "compose, local, swarm or virtual"),
            ("HOLDFAST_INSTALL", "perhaps", "yes or no"),
        ] {
            let error = read([(name, value)]).unwrap_err();
            assert!(error.contains(name) && error.contains(reason), "{error}");
        }
    }

    #[test]
    fn a_stage_is_chosen_by_its_name() {
        for stage in StageKind::value_variants() {
            let read = read([("STAGE", stage.name())]).unwrap();
            assert_eq!(read.stage, Some(*stage));
        }
    }

    #[test]
    fn nothing_is_installed_where_that_is_forbidden() {
        assert!(read([]).unwrap().may_install);
        let settings = read([("HOLDFAST_INSTALL", "no")]).unwrap();
        assert!(!settings.may_install);
    }

    #[test]
    fn only_the_services_variables_are_passed_on_and_the_policy_file_becomes_absolute() {
        let settings = read([
            ("HOLDFAST_POLICIES", "p.toml"),
            ("HOLDFAST_WORK_DELAY", "1s"),
            ("HOME", "/"),
        ]);
        let passed = settings.unwrap().passed_on;
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/p.toml");
        assert_eq!(passed["HOLDFAST_POLICIES"], path);
        assert_eq!(passed["HOLDFAST_WORK_DELAY"], "1s");
        assert_eq!(passed.len(), 2);
    }

    #[test]
    fn outside_a_checkout_the_folder_is_named() {
        let error = Settings::read(&Environment::default(), Path::new("/")).unwrap_err();
        assert!(matches!(error, SystemError::NoCheckout(_)));
    }
}
