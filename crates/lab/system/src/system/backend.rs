//! What systems of one command after the other are raised on.

use std::fs::File;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::containers::{self, Containers, Images};
use super::nodes::{self, Machines};
use super::processes::Processes;
use super::{Part, Runtime, System, SystemSpec};
use crate::error::SystemError;
use crate::lock;
use crate::output::Console;
use crate::run_dir::RunDir;
use crate::settings::{Ports, Settings, StageKind};
use crate::stage::{AdminClient, Service, WORKER};

/// Kind of the folder's name of a system of processes.
const KIND: &str = "experiment";

#[derive(Debug)]
pub enum Backend {
    Processes,
    Containers(Images),
    /// Nodes, which outlive the systems on them.
    Nodes(Box<Machines>),
}

impl Backend {
    /// Of this stage; for containers, their images are built now.
    pub async fn prepare(
        stage: StageKind,
        settings: &Settings,
        console: Console,
    ) -> Result<Self, SystemError> {
        Ok(match stage {
            StageKind::Local => Self::Processes,
            StageKind::Compose => Self::Containers(Images::prepare(settings, console).await?),
            StageKind::Swarm => Self::Nodes(Box::new(nodes::prepare(settings, console).await?)),
            StageKind::Virtual => return Err(SystemError::NoServices),
        })
    }

    /// Starts a system and waits until it is ready. What is left of one that did not come up is for [`Self::clear`].
    pub async fn raise(
        &self,
        spec: &SystemSpec,
        settings: &Settings,
        console: Console,
    ) -> Result<System, SystemError> {
        match self {
            Self::Processes => System::raise(KIND, spec, settings, console.quietly()).await,
            Self::Containers(images) => {
                let (containers, ports) = Containers::raise(images, spec).await?;
                let workers = vec![AdminClient::new(ports.worker)];
                let runtime = Runtime::Containers(Box::new(containers));
                Ok(System::at(parts(ports), workers, runtime))
            }
            Self::Nodes(machines) => {
                let nodes = machines.raise(spec).await?;
                let ports = nodes.swarm.nodes.ports;
                let workers = nodes.swarm.nodes.clients(WORKER);
                let runtime = Runtime::Nodes(Box::new(nodes));
                Ok(System::at(parts(ports), workers, runtime))
            }
        }
    }

    /// Takes down what is left of a system that did not come up.
    pub async fn clear(&self) -> Result<(), SystemError> {
        match self {
            Self::Containers(images) => images.clear().await,
            // Processes ended with the value they would have become; interrupted, all that nodes run ends with them.
            Self::Processes | Self::Nodes(_) => Ok(()),
        }
    }

    /// Ends what outlives its systems.
    pub async fn leave(&self) -> Result<(), SystemError> {
        match self {
            Self::Processes | Self::Containers(_) => Ok(()),
            Self::Nodes(machines) => machines.swarm.down().await.map(drop),
        }
    }
}

impl System {
    /// Starts all of it as processes of this machine in `folder`, which is the caller's, and waits until it is ready; if a part
    /// is not, those that are end.
    pub async fn start_in(
        folder: &Path,
        spec: &SystemSpec,
        settings: &Settings,
    ) -> Result<Self, SystemError> {
        let processes = Processes::start_in(folder, spec, settings).await?;
        Ok(Self::of_processes(processes))
    }

    /// Likewise, in a folder `holdfast-KIND-…` of the system's own, which goes with it unless it is kept, or did not come up.
    pub async fn raise(
        kind: &str,
        spec: &SystemSpec,
        settings: &Settings,
        console: Console,
    ) -> Result<Self, SystemError> {
        let folder = RunDir::make(kind, settings, console).await?;
        match Processes::start_in(folder.path(), spec, settings).await {
            Ok(mut processes) => {
                processes.run_dir = Some(folder);
                Ok(Self::of_processes(processes))
            }
            Err(error) => Err(folder.left_by(error)),
        }
    }
}

/// Ends what a run has left that is dead: containers, or nodes.
pub async fn end_stale(
    stage: StageKind,
    settings: &Settings,
    console: Console,
) -> Result<(), SystemError> {
    match stage {
        StageKind::Compose => containers::end_stale(settings, console).await,
        StageKind::Swarm => nodes::end_stale(settings, console).await,
        StageKind::Local | StageKind::Virtual => Ok(()),
    }
}

fn parts(ports: Ports) -> Vec<(Part, u16)> {
    let Ports { api, worker, db } = ports;
    vec![(Part::Api(0), api), (Part::Worker, worker), (Part::Db, db)]
}

/// One run at a time owns what there is but one of.
pub(super) fn lock(folder: &Path) -> Result<File, SystemError> {
    lock::try_take(folder, "experiments.lock")?.ok_or(SystemError::ExperimentsUnderWay)
}

/// Why a system did not start, with the folder that its logs were left in, and with what could not be taken down again.
pub(super) fn not_started(
    error: SystemError,
    left: Result<PathBuf, SystemError>,
    ended: Result<(), SystemError>,
) -> SystemError {
    if let Err(still_there) = ended {
        return SystemError::NotRolledBack(vec![error.to_string(), still_there.to_string()]);
    }
    match left {
        Ok(folder) => SystemError::NotStarted {
            error: Box::new(error),
            folder,
        },
        Err(_) => error,
    }
}

/// Leaves what the services of a system have logged in its folder, which stays.
pub(super) async fn leave_logs(
    folder: &mut TempDir,
    printed: impl AsyncFn(Service) -> Result<String, SystemError>,
) -> Result<PathBuf, SystemError> {
    folder.disable_cleanup(true);
    logs_into(folder.path(), printed).await?;
    Ok(folder.path().to_owned())
}

/// Writes what the services of a system have logged into `folder`.
pub(super) async fn logs_into(
    folder: &Path,
    printed: impl AsyncFn(Service) -> Result<String, SystemError>,
) -> Result<(), SystemError> {
    for service in Service::ALL {
        let log = folder.join(format!("{service}.log"));
        std::fs::write(&log, printed(service).await?).map_err(SystemError::file("write", &log))?;
    }
    Ok(())
}

/// What the services of a system are told however they run; its policy file is put into this folder.
pub(super) fn told(spec: &SystemSpec, folder: &Path) -> Result<Vec<(String, String)>, SystemError> {
    let policies = folder.join("policies.toml");
    std::fs::write(&policies, spec.policies()).map_err(SystemError::file("write", &policies))?;
    let variables = [
        ("HOLDFAST_POLICIES", policies.to_string_lossy().into_owned()),
        // Nothing else that the caller has set for a stage of their own.
        ("HOLDFAST_ADMIN_TOKEN", String::new()),
        ("HOLDFAST_ALLOWED_HOSTS", String::new()),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", String::new()),
        // What the breakers did is read from the log.
        ("RUST_LOG", "info".to_owned()),
        ("HOLDFAST_LOG_FORMAT", "json".to_owned()),
    ];
    let variables = variables.into_iter().chain(spec.worker.variables());
    let variables = variables.map(|(name, value)| (name.to_owned(), value));
    Ok(variables.collect())
}

pub(super) fn temporary() -> Result<TempDir, SystemError> {
    TempDir::new().map_err(SystemError::file("make", "a temporary folder"))
}
