//! Breaking and healing one container; each returns when the state is reached.

use std::time::Duration;

use tokio::time::Instant;

use super::Compose;
use crate::error::SystemError;
use crate::stage::container::Container;
use crate::stage::{Service, tell, well};
use crate::wait::Patience;

const REACHED: Patience = Patience::new(Duration::from_secs(10), Duration::from_millis(100));

impl Compose {
    pub async fn kill(&self, service: Service) -> Result<(), SystemError> {
        let container = self.container(service).await?;
        let alive = container.is_alive();
        // Only a container that runs can be killed.
        if container.is_paused() {
            self.engine.docker(&["unpause", &container.id]).await?;
        }
        if alive {
            let kill = ["kill", "-s", "SIGKILL", service.name()];
            self.engine.compose(&kill).await?;
        }
        self.reached(service, "does not die", |container| !container.is_alive())
            .await?;
        let what = if alive { "killed" } else { "was dead already" };
        tell(self.console, service, what);
        Ok(())
    }

    pub async fn start(&self, service: Service) -> Result<(), SystemError> {
        let container = self.container(service).await?;
        if container.is_paused() {
            return self.resume(service).await;
        }
        let start = Instant::now();
        if container.is_alive() {
            self.until_healthy(&[service], |_| {}).await?;
            tell(self.console, service, "was running already");
        } else {
            self.start_now(service).await?;
            self.until_healthy(&[service], |_| {}).await?;
            tell(self.console, service, well(self.console, "is up", start));
        }
        Ok(())
    }

    pub async fn pause(&self, service: Service) -> Result<(), SystemError> {
        let container = self.container(service).await?;
        if !container.is_alive() {
            return Err(SystemError::NotRunning(service));
        }
        let what = if container.is_paused() {
            "was paused already"
        } else {
            self.engine.compose(&["pause", service.name()]).await?;
            "paused"
        };
        self.reached(service, "does not stop", Container::is_paused)
            .await?;
        let what = format!("{what}: its port is open, nobody answers");
        tell(self.console, service, what);
        Ok(())
    }

    /// Sends the API the signal at which it reads its policy file again.
    pub(in crate::stage) async fn hang_up(&self) -> Result<(), SystemError> {
        let api = Service::Api.name();
        let kill = ["kill", "-s", "SIGHUP", api];
        self.engine.compose(&kill).await.map(drop)
    }

    pub async fn resume(&self, service: Service) -> Result<(), SystemError> {
        let container = self.container(service).await?;
        if !container.is_alive() {
            return Err(SystemError::NotRunning(service));
        }
        let start = Instant::now();
        if container.is_paused() {
            self.engine.compose(&["unpause", service.name()]).await?;
            self.answers(&container).await?;
            tell(self.console, service, well(self.console, "goes on", start));
        } else {
            self.answers(&container).await?;
            tell(self.console, service, "was running already");
        }
        Ok(())
    }

    /// Runs the container's own health check now: the engine's verdict dates from before the pause.
    async fn answers(&self, container: &Container) -> Result<(), SystemError> {
        let format = "{{json .Config.Healthcheck.Test}}";
        let inspect = ["inspect", "--format", format, &container.id];
        let test = self.engine.docker(&inspect).await?;
        let test: Vec<String> = serde_json::from_str(&test).unwrap_or_default();
        let mut command = vec!["exec", &container.id];
        // The first word says how the rest is to be run.
        command.extend(test.iter().skip(1).map(String::as_str));
        let mut wait = REACHED.begin();
        while let Err(error) = self.engine.docker(&command).await {
            if wait.is_over().await {
                let problem = format!("does not answer ({error})");
                return Err(self.unhealthy(container.service, problem).await);
            }
        }
        Ok(())
    }

    async fn reached(
        &self,
        service: Service,
        problem: &str,
        reached: impl Fn(&Container) -> bool,
    ) -> Result<(), SystemError> {
        let mut wait = REACHED.begin();
        while !reached(&self.container(service).await?) {
            if wait.is_over().await {
                return Err(self.unhealthy(service, problem.to_owned()).await);
            }
        }
        Ok(())
    }
}
