//! Breaking and healing one service; each returns when the state is reached.

use std::net::TcpStream;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::state::State;
use super::{Local, turn};
use crate::error::LabError;
use crate::ports;
use crate::stage::Service;

/// The last thread of a killed process closes its sockets, on a busy machine some time after the first is seen dead.
const REFUSED_WITHIN: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(10);

impl Local {
    /// Kills the service (SIGKILL to every process of it); its port refuses afterwards. A dead one is fine.
    ///
    /// # Errors
    /// [`LabError::NotUp`], or when a process does not react.
    pub async fn kill(&self, service: Service) -> Result<(), LabError> {
        let (_turn, state) = self.enter().await?;
        let stuck = |pids| LabError::Stuck { service, pids };
        state.family(service).kill().await.map_err(stuck)?;
        let port = ports::loopback(state.port(service));
        let deadline = Instant::now() + REFUSED_WITHIN;
        while TcpStream::connect_timeout(&port, REFUSED_WITHIN).is_ok() {
            if Instant::now() > deadline {
                let problem = format!("is dead, but somebody answers on port {}", port.port());
                return Err(LabError::Unhealthy {
                    service,
                    problem,
                    log: Vec::new(),
                });
            }
            sleep(POLL).await;
        }
        self.console.say(format_args!("  {service:<7} killed"));
        Ok(())
    }

    /// Starts a dead service on the data it had, or lets a paused one go on; returns when it is healthy.
    ///
    /// # Errors
    /// [`LabError::NotUp`], or when it does not become healthy.
    pub async fn start(&self, service: Service) -> Result<(), LabError> {
        let (_turn, mut state) = self.enter().await?;
        if !self.bring_back(&mut state, service).await? {
            self.console.say(format_args!("  {service:<7} is running"));
        }
        Ok(())
    }

    /// Stops every process of the service (SIGSTOP): its port stays open and nobody answers. A paused one is fine.
    ///
    /// # Errors
    /// [`LabError::NotUp`], [`LabError::NotRunning`], or when a process does not react.
    pub async fn pause(&self, service: Service) -> Result<(), LabError> {
        let (_turn, state) = self.enter().await?;
        let family = state.family(service);
        if !family.is_alive() {
            return Err(LabError::NotRunning(service));
        }
        family
            .pause()
            .await
            .map_err(|pids| LabError::Stuck { service, pids })?;
        self.console.say(format_args!(
            "  {service:<7} paused: its port is open, nobody answers"
        ));
        Ok(())
    }

    /// Lets a paused service go on; returns when it is healthy. A running one is fine.
    ///
    /// # Errors
    /// [`LabError::NotUp`], [`LabError::NotRunning`], or when it does not become healthy.
    pub async fn resume(&self, service: Service) -> Result<(), LabError> {
        let (_turn, state) = self.enter().await?;
        if !state.family(service).is_alive() {
            return Err(LabError::NotRunning(service));
        }
        let start = Instant::now();
        state.family(service).resume();
        self.healthy(&state, service).await?;
        self.ready(&state, service, "goes on", start);
        Ok(())
    }

    async fn enter(&self) -> Result<(std::fs::File, State), LabError> {
        let turn = turn::take(&self.folder, &self.console).await?;
        let state = State::load(&self.folder)?.ok_or(LabError::NotUp)?;
        Ok((turn, state))
    }
}
