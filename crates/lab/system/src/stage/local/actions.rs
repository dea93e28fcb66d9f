//! Breaking and healing one service; each returns when the state is reached.

use rustix::process::Signal;
use tokio::time::Instant;

use super::state::State;
use super::{Local, lock};
use crate::error::SystemError;
use crate::stage::{Service, port};

impl Local {
    /// Kills the service (SIGKILL to every process of it); its port refuses afterwards. A dead one is fine.
    pub async fn kill(&self, service: Service) -> Result<(), SystemError> {
        let (_lock, state) = self.enter().await?;
        let alive = state.tree(service).is_alive();
        // Also of a dead one: what its leader left behind.
        let killed = state.tree(service).kill().await;
        killed.map_err(SystemError::stuck(service))?;
        port::refuses(service, state.port(service)).await?;
        let what = if alive { "killed" } else { "was dead already" };
        self.console.say(format_args!("  {service:<7} {what}"));
        Ok(())
    }

    /// Starts a dead service on the data it had, or lets a paused one go on; returns when it is healthy.
    pub async fn start(&self, service: Service) -> Result<(), SystemError> {
        let (_lock, mut state) = self.enter().await?;
        if !self.bring_back(&mut state, service).await? {
            self.console
                .say(format_args!("  {service:<7} was running already"));
        }
        Ok(())
    }

    /// Stops every process of the service (SIGSTOP): its port stays open and nobody answers. A paused one is fine.
    pub async fn pause(&self, service: Service) -> Result<(), SystemError> {
        let (_lock, state) = self.enter().await?;
        let tree = state.tree(service);
        if !tree.is_alive() {
            return Err(SystemError::NotRunning(service));
        }
        let what = if tree.is_paused() {
            "was paused already"
        } else {
            "paused"
        };
        tree.pause().await.map_err(SystemError::stuck(service))?;
        self.console.say(format_args!(
            "  {service:<7} {what}: its port is open, nobody answers"
        ));
        Ok(())
    }

    /// Lets a paused service go on; returns when it is healthy. A running one is fine.
    pub async fn resume(&self, service: Service) -> Result<(), SystemError> {
        let (_lock, state) = self.enter().await?;
        if !state.tree(service).is_alive() {
            return Err(SystemError::NotRunning(service));
        }
        let start = Instant::now();
        let paused = state.tree(service).is_paused();
        state.tree(service).resume();
        self.healthy(&state, service, None).await?;
        if paused {
            self.ready(&state, service, "goes on", start);
        } else {
            self.console
                .say(format_args!("  {service:<7} was running already"));
        }
        Ok(())
    }

    /// Sends the API the signal at which it reads its policy file again.
    pub(in crate::stage) async fn hang_up(&self) -> Result<(), SystemError> {
        let (_lock, state) = self.enter().await?;
        state.tree(Service::Api).signal_leader(Signal::HUP);
        Ok(())
    }

    async fn enter(&self) -> Result<(std::fs::File, State), SystemError> {
        let lock = lock::take(&self.folder, &self.console).await?;
        let state = State::load(&self.folder)?.ok_or(SystemError::NotUp)?;
        Ok((lock, state))
    }
}
