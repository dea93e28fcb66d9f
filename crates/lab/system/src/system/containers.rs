//! The system as containers: the Compose file of the stage with an overlay that puts a breakable link between the API and
//! its dependencies, as a project of its own on ports of its own.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use super::SystemSpec;
use super::backend::{leave_logs, lock, not_started, temporary, told};
use super::processes::Links;
use super::start::free;
use crate::error::SystemError;
use crate::link::Controller;
use crate::output::Console;
use crate::plan::Target;
use crate::ports;
use crate::probe::Probe;
use crate::settings::{Ports, Settings};
use crate::stage::{Compose, Project};

const PROJECT: Project = Project {
    name: "holdfast-experiments",
    files: &["deploy/compose.yml", "deploy/compose.experiments.yml"],
};
/// The overlay's service, and the program in it.
const LINK: &str = "link";
const FAULT_PROXY: &str = "/usr/local/bin/fault-proxy";

/// The images, and the right to use the project's name.
#[derive(Debug)]
pub struct Images {
    compose: Compose,
    _lock: File,
}

impl Images {
    pub(super) async fn prepare(
        settings: &Settings,
        console: Console,
    ) -> Result<Self, SystemError> {
        let lock = lock(&settings.folder())?;
        let compose = compose(settings, console).await?;
        // What a killed run has left is in the way of this one.
        drop(silent(&compose).down().await?);
        console.say("building the images, which takes minutes the first time");
        Ok(Self {
            compose: compose.built().await?,
            _lock: lock,
        })
    }

    pub(super) async fn clear(&self) -> Result<(), SystemError> {
        silent(&self.compose).down().await.map(drop)
    }
}

/// Everything ends with [`super::System::lower`].
#[derive(Debug)]
pub(super) struct Containers {
    pub(super) compose: Compose,
    pub(super) links: Links,
    pub(super) folder: TempDir,
}

impl Containers {
    /// Starts all of it; where it is published.
    pub(super) async fn raise(
        images: &Images,
        spec: &SystemSpec,
    ) -> Result<(Self, Ports), SystemError> {
        let folder = temporary()?;
        let told = told(spec, folder.path())?;
        // The container's user is none of ours.
        readable(&folder.path().join("policies.toml"))?;
        readable(folder.path())?;
        let (api, worker, db, link) = (free()?, free()?, free()?, free()?);
        // Two workers cannot have the same port: then each has one that nobody asks for.
        let published = Some(worker.to_string()).filter(|_| !spec.replaced);
        let variables = [
            ("API_PORT", api.to_string()),
            ("WORKER_PORT", published.unwrap_or_default()),
            ("DB_PORT", db.to_string()),
            ("LINK_PORT", link.to_string()),
            ("LINK_SEED", spec.seed.to_string()),
            ("EXPERIMENT_WORKER", host(spec, Target::Worker, "worker")),
            ("EXPERIMENT_DATABASE", host(spec, Target::Database, "db")),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value));
        let all = variables.into_iter().chain(told);
        let mut containers = Self {
            compose: images.compose.with_variables(all),
            links: Links::new(),
            folder,
        };
        match containers.rise(&spec.linked, link).await {
            Ok(()) => Ok((containers, Ports { api, worker, db })),
            Err(error) => {
                // Before they are taken down: with the containers their logs go.
                let left = containers.keep().await;
                let ended = containers.compose.down().await.map(drop);
                Err(not_started(error, left, ended))
            }
        }
    }

    async fn rise(&mut self, linked: &BTreeSet<Target>, port: u16) -> Result<(), SystemError> {
        self.compose.raise().await?;
        let controller = Controller::connect(ports::loopback(port)).await?;
        // As the overlay calls them.
        let link = |it: &Target| (*it, Arc::new(controller.link(&it.to_string())));
        self.links = linked.iter().map(link).collect();
        Ok(())
    }

    /// From inside the network: what Docker publishes on the host accepts connections whatever is behind it.
    pub(super) async fn probe(
        &self,
        target: Target,
        on_the_link: bool,
        patience: Duration,
    ) -> Probe {
        let on_the_link = on_the_link && self.links.contains_key(&target);
        let (kind, address) = match (target, on_the_link) {
            (Target::Worker, false) => ("worker", "worker:8081"),
            (Target::Worker, true) => ("worker", "127.0.0.1:8081"),
            (Target::Database | Target::Standby, false) => ("database", "db:5432"),
            (Target::Database | Target::Standby, true) => ("database", "127.0.0.1:5432"),
            (Target::Api | Target::Replica(_) | Target::Node, _) => ("api", "api:8080"),
        };
        let patience = patience.as_millis().to_string();
        let look = [FAULT_PROXY, "look", kind, address, "--patience", &patience];
        let told = self.compose.exec(LINK, &look).await;
        let seen = told.ok().and_then(|told| serde_json::from_str(&told).ok());
        seen.unwrap_or(Probe::Unseen)
    }

    pub(super) async fn keep(&mut self) -> Result<PathBuf, SystemError> {
        let compose = &self.compose;
        leave_logs(&mut self.folder, async |it| compose.printed(it).await).await
    }
}

pub(super) async fn end_stale(settings: &Settings, console: Console) -> Result<(), SystemError> {
    let _lock = lock(&settings.folder())?;
    let compose = compose(settings, console).await?;
    silent(&compose).down().await.map(drop)
}

async fn compose(settings: &Settings, console: Console) -> Result<Compose, SystemError> {
    let folder = settings.folder().join("experiments");
    Compose::of_its_own(PROJECT, folder, settings, console.quietly()).await
}

/// The files want their variables, also to take down what they describe.
fn silent(compose: &Compose) -> Compose {
    let names = ["WORKER_PORT", "DB_PORT", "LINK_PORT", "LINK_SEED"];
    compose.with_variables(names.map(|name| (name.to_owned(), "0".to_owned())))
}

/// By which the API finds it.
fn host(spec: &SystemSpec, target: Target, own: &str) -> String {
    let is_linked = spec.linked.contains(&target);
    if is_linked { LINK } else { own }.to_owned()
}

fn readable(path: &Path) -> Result<(), SystemError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(path, mode).map_err(SystemError::file("open up", path))
}
