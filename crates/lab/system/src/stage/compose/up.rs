//! Bringing the containers up: images, build, start, health.

use tokio::time::Instant;

use super::Compose;
use crate::error::SystemError;
use crate::postgres::ROLE_SQL;
use crate::stage::container::Container;
use crate::stage::{
    Condition, Service, healthy, images, port, process, stop_signals, tell, unless_interrupted,
    well,
};

impl Compose {
    /// Builds the images, starts the containers and waits until all are healthy. Volumes that are there are kept.
    /// Interrupted, it takes down what it started; a stage that was up before, or held data, is left as it is.
    pub async fn up(&self) -> Result<(), SystemError> {
        let signals = stop_signals()?;
        let held_data = self.holds_data().await?;
        let result = unless_interrupted(signals, self.bring_up(held_data)).await;
        if matches!(result, Err(SystemError::Interrupted)) && !held_data {
            self.down().await?;
        }
        result
    }

    async fn bring_up(&self, held_data: bool) -> Result<(), SystemError> {
        let before = self.engine.containers().await?;
        let holds_the_port = |it: &Container| it.service == Service::Api && it.is_alive();
        if !before.iter().any(holds_the_port) {
            port::check_free(self.api_port, "API_PORT")?;
        }
        let start = Instant::now();
        let built = self.with_images(&[images::API, images::WORKER]).await?;
        self.unpause().await?;
        built.engine.compose_shown(&["up", "--detach"]).await?;
        let healthy = |it| tell(self.console, it, well(self.console, "healthy", start));
        self.until_healthy(&Service::ALL, healthy).await?;
        if held_data {
            self.bring_schema_up_to_date().await?;
        }
        Ok(())
    }

    /// An earlier release may have made it: migrates it and sees that the API's role is there. By the tables' owner, which the
    /// API itself is not.
    async fn bring_schema_up_to_date(&self) -> Result<(), SystemError> {
        let owner = "DATABASE_URL=postgres://holdfast:holdfast@db/holdfast";
        let run = ["run", "--rm", "--no-deps", "-T", "-e", owner];
        let api = [Service::Api.name(), "migrate"];
        self.engine.compose(&[&run[..], &api].concat()).await?;
        self.psql(ROLE_SQL).await.map(drop)
    }

    /// Waits until all of these are healthy; one that has ended is not waited for.
    pub(super) async fn until_healthy(
        &self,
        services: &[Service],
        told: impl Fn(Service),
    ) -> Result<(), SystemError> {
        let look = || self.alive(services);
        match healthy::until_healthy(services, look, told).await? {
            Ok(()) => Ok(()),
            Err((service, problem)) => Err(self.unhealthy(service, problem).await),
        }
    }

    /// How each service is, if none of these has ended.
    async fn alive(&self, services: &[Service]) -> Result<Vec<(Service, Condition)>, SystemError> {
        let containers = self.engine.containers().await?;
        let is_dead = |it: &&Container| services.contains(&it.service) && !it.is_alive();
        if let Some(dead) = containers.iter().find(is_dead) {
            return Err(self.why_it_ended(dead).await);
        }
        let condition = |it: Container| (it.service, it.condition);
        Ok(containers.into_iter().map(condition).collect())
    }

    async fn why_it_ended(&self, dead: &Container) -> SystemError {
        if dead.exit_code == Some(process::BAD_CONFIGURATION) {
            let logs = ["logs", "--tail=10", &dead.id];
            let log = self.engine.docker_said(&logs).await;
            let said: Vec<String> = log.lines().map(str::to_owned).collect();
            return SystemError::Refused(process::refusal(dead.service, &said));
        }
        let code = dead.exit_code.unwrap_or_default();
        let ended = format!("ended (exit code {code})");
        self.unhealthy(dead.service, ended).await
    }

    pub(super) async fn unhealthy(&self, service: Service, problem: String) -> SystemError {
        let logs = ["logs", "--no-color", "--tail=10", service.name()];
        let log = self.engine.compose(&logs).await.unwrap_or_default();
        SystemError::unhealthy(service, problem, &log)
    }
}
