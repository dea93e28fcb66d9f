//! The scene as containers: the Compose file of the stage with an overlay that puts a breakable wire between the API and
//! its dependencies, as a project of its own on ports of its own.

use std::fs::{self, File, TryLockError};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use super::Making;
use crate::error::SystemError;
use crate::look::Look;
use crate::output::Console;
use crate::plan::Target;
use crate::ports;
use crate::settings::{Ports, Settings};
use crate::stage::{Compose, Project, Service};
use crate::system::{Wired, Wires};
use crate::wire::{Controller, Wire};

const PROJECT: Project = Project {
    name: "holdfast-experiments",
    files: &["deploy/compose.yml", "deploy/compose.experiments.yml"],
};
/// The overlay's service, and the lab's program in it.
const WIRE: &str = "wire";
const LAB: &str = "/usr/local/bin/lab";

/// The images, and the right to use the project's name.
#[derive(Debug)]
pub struct Containers {
    compose: Compose,
    _turn: File,
}

impl Containers {
    pub(super) async fn prepare(
        settings: &Settings,
        console: Console,
    ) -> Result<Self, SystemError> {
        let turn = take_turn(settings)?;
        let folder = settings.folder().join("experiments");
        let quiet = console.quietly();
        let mut compose = Compose::of_its_own(PROJECT, folder, settings, quiet).await?;
        // What a killed run has left is in the way of this one.
        drop(silent(&compose).down().await?);
        console.say("building the images, which takes minutes the first time");
        compose.build().await?;
        Ok(Self {
            compose,
            _turn: turn,
        })
    }

    pub(super) async fn clear(&self) -> Result<(), SystemError> {
        silent(&self.compose).down().await.map(drop)
    }
}

/// Everything ends with [`ComposeScene::lower`].
#[derive(Debug)]
pub(super) struct ComposeScene {
    pub(super) compose: Compose,
    pub(super) ports: Ports,
    wires: Wires,
    folder: TempDir,
}

impl ComposeScene {
    pub(super) async fn raise(
        containers: &Containers,
        making: &Making,
    ) -> Result<Self, SystemError> {
        let folder = TempDir::new().map_err(SystemError::file("make", "a temporary folder"))?;
        let policies = folder.path().join("policies.toml");
        fs::write(&policies, &making.policies).map_err(SystemError::file("write", &policies))?;
        // The container's user is none of ours.
        readable(&policies)?;
        readable(folder.path())?;
        let free = || ports::free().map_err(SystemError::file("find", "a free port"));
        let (api, worker, database, wire) = (free()?, free()?, free()?, free()?);
        // Two workers cannot have the same port: then each has one that nobody asks for.
        let published = Some(worker.to_string()).filter(|_| !making.replaced);
        let variables = [
            ("API_PORT", api.to_string()),
            ("WORKER_PORT", published.unwrap_or_default()),
            ("DB_PORT", database.to_string()),
            ("WIRE_PORT", wire.to_string()),
            ("WIRE_SEED", making.seed.to_string()),
            ("HOLDFAST_POLICIES", policies.to_string_lossy().into_owned()),
            // What the breakers did is read from the log.
            ("RUST_LOG", "info".to_owned()),
            ("HOLDFAST_LOG_FORMAT", "json".to_owned()),
            ("EXPERIMENT_WORKER", host(making.wired.worker, "worker")),
            ("EXPERIMENT_DATABASE", host(making.wired.database, "db")),
        ];
        let variables = variables.into_iter().chain(making.worker().variables());
        let variables = variables.map(|(name, value)| (name.to_owned(), value));
        let compose = containers.compose.with_variables(variables);
        let mut scene = Self {
            ports: Ports {
                api,
                worker,
                db: database,
            },
            wires: Wires::default(),
            compose,
            folder,
        };
        match scene.rise(making.wired, wire).await {
            Ok(()) => Ok(scene),
            Err(error) => {
                scene.compose.down().await?;
                Err(error)
            }
        }
    }

    async fn rise(&mut self, wired: Wired, wire_port: u16) -> Result<(), SystemError> {
        self.compose.raise().await?;
        let controller = Controller::connect(ports::loopback(wire_port)).await?;
        let wire =
            |wanted: bool, name| wanted.then(|| Arc::new(Wire::Remote(controller.wire(name))));
        self.wires = Wires {
            worker: wire(wired.worker, "worker"),
            database: wire(wired.database, "database"),
        };
        Ok(())
    }

    pub(super) fn wire(&self, target: Target) -> Option<&Arc<Wire>> {
        self.wires.to(target)
    }

    /// From inside the network: what Docker publishes on the host accepts connections whatever is behind it.
    pub(super) async fn look(&self, target: Target, on_the_wire: bool, patience: Duration) -> Look {
        let on_the_wire = on_the_wire && self.wire(target).is_some();
        let (kind, address) = match (target, on_the_wire) {
            (Target::Worker, false) => ("worker", "worker:8081"),
            (Target::Worker, true) => ("worker", "127.0.0.1:8081"),
            (Target::Database, false) => ("database", "db:5432"),
            (Target::Database, true) => ("database", "127.0.0.1:5432"),
            (Target::Api | Target::Node, _) => ("api", "api:8080"),
        };
        let patience = format!("{}ms", patience.as_millis());
        let look = [LAB, "look", kind, address, "--patience", &patience];
        let told = self.compose.exec(WIRE, &look).await;
        let look = told.ok().and_then(|told| serde_json::from_str(&told).ok());
        look.unwrap_or(Look::Broken)
    }

    pub(super) async fn keep(&mut self) -> Result<PathBuf, SystemError> {
        self.folder.disable_cleanup(true);
        for service in Service::ALL {
            let log = self.folder.path().join(format!("{service}.log"));
            let printed = self.compose.printed(service).await?;
            fs::write(&log, printed).map_err(SystemError::file("write", &log))?;
        }
        Ok(self.folder.path().to_owned())
    }

    pub(super) async fn lower(self) -> Vec<String> {
        let down = self.compose.down().await;
        down.err()
            .map(|error| error.to_string())
            .into_iter()
            .collect()
    }
}

/// Ends what a run has left that is dead.
pub async fn end_stale(settings: &Settings, console: Console) -> Result<(), SystemError> {
    let _turn = take_turn(settings)?;
    let folder = settings.folder().join("experiments");
    let compose = Compose::of_its_own(PROJECT, folder, settings, console.quietly()).await?;
    silent(&compose).down().await.map(drop)
}

/// The files want their variables, also to take down what they describe.
fn silent(compose: &Compose) -> Compose {
    let names = ["WORKER_PORT", "DB_PORT", "WIRE_PORT", "WIRE_SEED"];
    compose.with_variables(names.map(|name| (name.to_owned(), "0".to_owned())))
}

/// One run at a time owns the project; the end of its process gives it back.
fn take_turn(settings: &Settings) -> Result<File, SystemError> {
    let folder = settings.folder();
    fs::create_dir_all(&folder).map_err(SystemError::file("make", &folder))?;
    let path = folder.join("experiments.lock");
    let file = File::options().create(true).append(true).open(&path);
    let file = file.map_err(SystemError::file("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(SystemError::ExperimentsUnderWay),
        Err(TryLockError::Error(error)) => Err(SystemError::file("lock", path)(error)),
    }
}

fn host(wired: bool, service: &str) -> String {
    if wired { WIRE } else { service }.to_owned()
}

fn readable(path: &std::path::Path) -> Result<(), SystemError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(path, mode).map_err(SystemError::file("open up", path))
}
