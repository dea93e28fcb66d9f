//! Breaking and healing one service; each returns when the state is reached.

use rustix::process::Signal;
use tokio::time::Instant;

use super::Local;
use super::state::State;
use crate::error::SystemError;
use crate::stage::{Service, port, tell};

impl Local {
    /// SIGKILL to every process of it; its port refuses afterwards.
    pub async fn kill(&self, service: Service) -> Result<(), SystemError> {
        let (_lock, state) = self.enter().await?;
        let alive = state.tree(service).is_alive();
        // Also of a dead one: what its leader left behind.
        let killed = state.tree(service).kill().await;
        killed.map_err(SystemError::stuck(service))?;
        port::refuses(service, state.port(service)).await?;
        let what = if alive { "killed" } else { "was dead already" };
        tell(self.console, service, what);
        Ok(())
    }

    pub async fn start(&self, service: Service) -> Result<(), SystemError> {
        let (_lock, mut state) = self.enter().await?;
        if !self.bring_back(&mut state, service).await? {
            tell(self.console, service, "was running already");
        }
        Ok(())
    }

    pub async fn pause(&self, service: Service) -> Result<(), SystemError> {
        let (_lock, state) = self.enter().await?;
        let tree = state.tree(service);
        if !tree.is_alive() {
            return Err(SystemError::NotRunning(service));
        }
        let what = match tree.is_paused() {
            true => "was paused already: its port is open, nobody answers",
            false => "paused: its port is open, nobody answers",
        };
        tree.pause().await.map_err(SystemError::stuck(service))?;
        tell(self.console, service, what);
        Ok(())
    }

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
            tell(self.console, service, "was running already");
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
        let lock = self.lock().await?;
        let state = State::load(&self.folder)?.ok_or(SystemError::NotUp)?;
        Ok((lock, state))
    }
}
