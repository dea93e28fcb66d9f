//! Containers of a command's own: another project beside the stage's, made once and brought up as often as it is needed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Compose;
use super::engine::{Engine, Project};
use crate::error::SystemError;
use crate::output::Console;
use crate::settings::Settings;
use crate::stage::Service;
use crate::stage::container::Container;
use crate::stage::images::{self, Image};

impl Compose {
    /// The containers of `project`; what the stage keeps in the lab's folder they keep in `folder`.
    pub(crate) async fn of_its_own(
        project: Project,
        folder: PathBuf,
        settings: &Settings,
        console: Console,
    ) -> Result<Self, SystemError> {
        let engine = Engine::find(project, settings.root.clone(), BTreeMap::new()).await?;
        Ok(Self {
            engine,
            folder,
            api_port: settings.ports.api,
            console,
        })
    }

    pub(in crate::stage) async fn with_images(
        &self,
        images: &[Image],
    ) -> Result<Self, SystemError> {
        let bases = images::build(images, &self.engine.root, self.console).await?;
        Ok(self.with_variables(bases))
    }

    /// Likewise, with the link that breaks on command among them.
    pub async fn built(&self) -> Result<Self, SystemError> {
        self.with_images(&[images::API, images::WORKER, images::FAULT_PROXY])
            .await
    }

    /// The same containers, with more variables for the Compose files.
    pub fn with_variables(&self, more: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut compose = self.clone();
        compose.engine.variables.extend(more);
        compose
    }

    /// Starts what has been built, and waits until the services are healthy.
    pub async fn raise(&self) -> Result<(), SystemError> {
        self.engine.compose(&["up", "--detach"]).await?;
        self.until_healthy(&Service::ALL, |_| {}).await
    }

    /// Starts a dead container and does not wait for its health check, which looks on only every few seconds.
    pub async fn start_now(&self, service: Service) -> Result<(), SystemError> {
        let start = ["start", service.name()];
        self.engine.compose(&start).await.map(drop)
    }

    /// Runs a command in a service's container and returns what it printed.
    pub async fn exec(&self, service: &str, command: &[&str]) -> Result<String, SystemError> {
        let arguments = [&["exec", "-T", service][..], command].concat();
        self.engine.compose(&arguments).await
    }

    /// What a service's container has printed so far.
    pub async fn printed(&self, service: Service) -> Result<String, SystemError> {
        let container = self.container(service).await?;
        self.engine.docker(&["logs", &container.id]).await
    }

    /// Starts a second container of the service, at another address under the same name, then kills and removes the
    /// first. From which address to which.
    pub async fn replace(&self, service: Service) -> Result<(String, String), SystemError> {
        let first = self.container(service).await?;
        let old = self.address(&first).await?;
        let two = format!("{service}=2");
        let up = ["up", "--detach", "--no-recreate", "--no-deps", "--scale"];
        let up = [&up[..], &[&two, service.name()]].concat();
        self.engine.compose(&up).await?;
        let rm = ["rm", "--force", "--volumes", &first.id];
        self.engine.docker(&rm).await?;
        let second = self.container(service).await?;
        Ok((old, self.address(&second).await?))
    }

    async fn address(&self, container: &Container) -> Result<String, SystemError> {
        let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        let inspect = ["inspect", "--format", format, &container.id];
        let told = self.engine.docker(&inspect).await?;
        Ok(told.trim().to_owned())
    }
}
