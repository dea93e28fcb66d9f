//! The Compose stage: the three services as containers, of either Compose generation.
//!
//! `up` keeps the volumes that are there: only `down` deletes them.

mod actions;
mod engine;
mod own;
mod up;

use std::path::PathBuf;
use std::time::Duration;

use engine::Engine;
pub(crate) use engine::Project;
use tokio::time::timeout;

use super::container::Container;
use super::{Condition, Service};
use crate::accepted;
use crate::error::SystemError;
use crate::output::Console;
use crate::settings::Settings;

const ANSWER_WITHIN: Duration = Duration::from_secs(30);

#[derive(Debug, Clone)]
pub struct Compose {
    engine: Engine,
    /// Where the promises of its clients are kept.
    pub(super) folder: PathBuf,
    api_port: u16,
    pub(super) console: Console,
}

impl Compose {
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

    /// Whether there is a container, dead or not, or a volume.
    pub async fn holds_data(&self) -> Result<bool, SystemError> {
        Ok(!self.engine.containers().await?.is_empty() || !self.engine.volumes().await?.is_empty())
    }

    pub async fn is_up(&self) -> Result<bool, SystemError> {
        let containers = self.engine.containers().await?;
        Ok(containers.iter().any(Container::is_alive))
    }

    /// Where the API is published: as it is while the stage is up, else as the settings say.
    pub async fn api_port(&self) -> Result<u16, SystemError> {
        let containers = self.engine.containers().await?;
        let published = containers.iter().find_map(|container| container.port);
        Ok(published.unwrap_or(self.api_port))
    }

    /// Removes containers, network and volumes, and what clients were promised of them: what of that was data. Nothing to
    /// remove is fine.
    pub async fn down(&self) -> Result<Vec<String>, SystemError> {
        self.unpause().await?;
        let volumes = self.engine.volumes().await?.into_iter();
        let mut deleted: Vec<String> = volumes.map(|name| format!("the volume {name}")).collect();
        // Those who watch as well, where they were asked for.
        let observe = ["--profile", "observe"];
        let down = ["down", "--volumes", "--remove-orphans"];
        self.engine.compose(&[&observe[..], &down].concat()).await?;
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

    pub async fn conditions(&self) -> Result<Vec<(Service, Condition)>, SystemError> {
        let containers = self.engine.containers().await?;
        if containers.is_empty() {
            return Err(SystemError::NotUp);
        }
        let of = |it: Container| (it.service, it.condition);
        Ok(containers.into_iter().map(of).collect())
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
        let found = all.into_iter().find(|it| it.service == service);
        found.ok_or(SystemError::NotUp)
    }
}
