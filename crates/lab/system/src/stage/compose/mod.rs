//! The Compose stage: the three services as containers, of either Compose generation.
//!
//! `up` keeps the volumes that are there: only `down` deletes them.

mod actions;
mod engine;
mod own;
mod up;

use std::path::{Path, PathBuf};
use std::time::Duration;

use engine::Engine;
pub use engine::Project;
use tokio::time::timeout;

use super::container::Container;
use super::{Condition, Service};
use crate::accepted;
use crate::error::SystemError;
use crate::output::Console;
use crate::settings::Settings;

const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// The three services in containers.
#[derive(Debug, Clone)]
pub struct Compose {
    engine: Engine,
    /// The lab's.
    folder: PathBuf,
    api_port: u16,
    console: Console,
}

impl Compose {
    /// Finds the engine and its Compose tool.
    pub async fn find(settings: &Settings, console: Console) -> Result<Self, SystemError> {
        let mut variables = settings.passed_on.clone();
        variables.insert("API_PORT".to_owned(), settings.ports.api.to_string());
        let engine = Engine::find(engine::STAGE, settings.root.clone(), variables).await?;
        Ok(Self {
            engine,
            folder: settings.folder().join("compose"),
            api_port: settings.ports.api,
            console,
        })
    }

    /// Where the promises of its clients are kept.
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

    /// Whether there is anything that `down` would delete: a container, dead or not, or a volume.
    pub async fn holds_data(&self) -> Result<bool, SystemError> {
        Ok(!self.engine.containers().await?.is_empty() || !self.engine.volumes().await?.is_empty())
    }

    /// Whether any of its containers lives.
    pub async fn is_up(&self) -> Result<bool, SystemError> {
        Ok(self
            .engine
            .containers()
            .await?
            .iter()
            .any(Container::is_alive))
    }

    /// Where the API is published: as it is while the stage is up, else as the settings say.
    pub async fn api_port(&self) -> Result<u16, SystemError> {
        let containers = self.engine.containers().await?;
        Ok(containers
            .iter()
            .find_map(|container| container.port)
            .unwrap_or(self.api_port))
    }

    /// Removes containers, network and volumes, and what clients were promised of them: what of that was data. Nothing to
    /// remove is fine.
    pub async fn down(&self) -> Result<Vec<String>, SystemError> {
        self.unpause().await?;
        let volumes = self.engine.volumes().await?.into_iter();
        let mut deleted: Vec<String> = volumes.map(|name| format!("the volume {name}")).collect();
        self.engine
            // Those who watch as well, where they were asked for.
            .compose(&[
                "--profile",
                "observe",
                "down",
                "--volumes",
                "--remove-orphans",
            ])
            .await?;
        deleted.extend(accepted::forget(&self.folder)?);
        Ok(deleted)
    }

    /// Lets all go on that is paused: such a container can neither be stopped nor come up.
    async fn unpause(&self) -> Result<(), SystemError> {
        for container in self.engine.containers().await? {
            if container.is_paused() {
                self.engine.docker(&["unpause", &container.id]).await?;
            }
        }
        Ok(())
    }

    /// How each service is.
    pub async fn conditions(&self) -> Result<Vec<(Service, Condition)>, SystemError> {
        let containers = self.engine.containers().await?;
        if containers.is_empty() {
            return Err(SystemError::NotUp);
        }
        Ok(containers
            .into_iter()
            .map(|container| (container.service, container.condition))
            .collect())
    }

    /// What `psql` prints for `sql`: a line per row, its fields between tabs. The database is published nowhere, so it
    /// is asked from inside its container.
    pub async fn psql(&self, sql: &str) -> Result<String, SystemError> {
        // By TCP: where the socket is, is the image's own affair.
        let url = "postgres://holdfast:holdfast@127.0.0.1/holdfast?connect_timeout=5";
        let psql = ["exec", "-T", "db", "psql", url, "--no-psqlrc", "--quiet"];
        let format = ["--no-align", "--tuples-only", "--field-separator=\t"];
        let strict = ["--set=ON_ERROR_STOP=1"];
        let arguments = [&psql[..], &format, &strict].concat();
        let asked = self.engine.compose_with(&arguments, sql);
        let late = || SystemError::Program {
            command: "docker compose exec -T db psql".to_owned(),
            output: "no answer".to_owned(),
        };
        timeout(ANSWER_WITHIN, asked).await.map_err(|_| late())?
    }

    /// The command that shows the logs.
    pub fn logs(
        &self,
        service: Option<Service>,
        follow: bool,
        only_the_last: bool,
    ) -> tokio::process::Command {
        let mut arguments = vec!["logs", "--no-color"];
        arguments.extend(only_the_last.then_some("--tail=100"));
        arguments.extend(follow.then_some("--follow"));
        arguments.extend(service.map(Service::name));
        self.engine.compose_command(&arguments)
    }

    async fn container(&self, service: Service) -> Result<Container, SystemError> {
        let all = self.engine.containers().await?;
        all.into_iter()
            .find(|container| container.service == service)
            .ok_or(SystemError::NotUp)
    }
}
