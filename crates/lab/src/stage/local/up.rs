//! Bringing the stage up: fresh, or repaired if any of it still lives.

use std::fs;
use std::time::Duration;

use holdfast_ops::signals::StopSignals;
use tokio::time::{Instant, sleep};

use super::state::State;
use super::{JOURNAL, LOG_LINES, Local, launch, turn};
use crate::accepted;
use crate::error::LabError;
use crate::output::Tone;
use crate::postgres::{self, Installation, Server};
use crate::stage::Service;
use crate::stage::health::Probe;
use crate::stage::port;
use crate::{logs, postgres::PostgresError};

const POLL: Duration = Duration::from_millis(25);
const READY_WITHIN: Duration = Duration::from_secs(20);

impl Local {
    /// Brings all three services up and waits until they are healthy. Interrupted or failed, it stops what it started.
    ///
    /// # Errors
    /// When a port is taken, a program is missing or a service does not become healthy.
    pub async fn up(&self) -> Result<(), LabError> {
        let _turn = turn::take(&self.folder, &self.console).await?;
        match State::load(&self.folder)? {
            Some(state) if state.complete && state.is_alive() => self.repair(state).await,
            remains => {
                if let Some(state) = remains {
                    self.clear(&state).await?;
                }
                self.fresh().await
            }
        }
    }

    async fn fresh(&self) -> Result<(), LabError> {
        let mut signals = StopSignals::listen().map_err(LabError::file("listen for", "signals"))?;
        let installation = self.installation().await?;
        let mut state = self.prepare(&installation).await?;
        let result = tokio::select! {
            result = self.start_all(&mut state, &installation) => result,
            _ = signals.next() => Err(LabError::Interrupted),
        };
        if result.is_err() {
            self.clear(&state).await?;
        }
        result
    }

    /// Finds Postgres; on Debian as root, installs it where it is missing.
    async fn installation(&self) -> Result<Installation, LabError> {
        match Installation::find().await {
            Err(PostgresError::Missing { .. }) if crate::debian::can_install() => {
                crate::debian::install("postgresql", &self.console).await?;
                Ok(Installation::find().await?)
            }
            found => Ok(found?),
        }
    }

    /// Checks what can be checked before anything runs, and records where everything will be.
    async fn prepare(&self, installation: &Installation) -> Result<State, LabError> {
        for service in [Service::Worker, Service::Api] {
            launch::binary(&self.binaries, service)?;
        }
        for (service, port, variable) in self.named_ports() {
            port::check_free(port, variable)?;
            let log = launch::log(&self.folder, service);
            if log.exists() {
                fs::remove_file(&log).map_err(LabError::file("delete", &log))?;
            }
        }
        self.delete(JOURNAL)?;
        accepted::forget(&self.folder)?;
        let journal = self.folder.join(JOURNAL);
        fs::create_dir_all(&journal).map_err(LabError::file("make", journal))?;
        let db = installation.folder_in(&self.folder).await?;
        let state = State {
            complete: false,
            ports: self.ports,
            passed_on: self.passed_on.clone(),
            worker: launch::family(&self.folder, Service::Worker)?,
            api: launch::family(&self.folder, Service::Api)?,
            db: Server::new(db, launch::log(&self.folder, Service::Db), self.ports.db),
        };
        state.save(&self.folder)?;
        Ok(state)
    }

    async fn start_all(
        &self,
        state: &mut State,
        installation: &Installation,
    ) -> Result<(), LabError> {
        let start = Instant::now();
        state.db.create(installation).await?;
        state.save(&self.folder)?;
        self.ready(state, Service::Db, "up", start);
        for service in [Service::Worker, Service::Api] {
            let start = Instant::now();
            self.launch(state, service)?;
            self.healthy(state, service).await?;
            self.ready(state, service, "up", start);
        }
        state.complete = true;
        state.save(&self.folder)
    }

    async fn repair(&self, mut state: State) -> Result<(), LabError> {
        let mut broken = false;
        for service in Service::ALL {
            broken |= self.bring_back(&mut state, service).await?;
        }
        if !broken {
            self.console
                .say(format_args!("already up on port {}", state.ports.api));
        }
        if state.ports != self.ports || state.passed_on != self.passed_on {
            self.console
                .say("other ports or variables are used after the next make down and make up");
        }
        Ok(())
    }

    /// Starts a dead service, resumes a paused one, waits until it is healthy; whether there was anything to do.
    pub(super) async fn bring_back(
        &self,
        state: &mut State,
        service: Service,
    ) -> Result<bool, LabError> {
        let start = Instant::now();
        let (alive, paused) = (
            state.family(service).is_alive(),
            state.family(service).is_paused(),
        );
        if !alive {
            // What a dead leader left behind would still hold the port.
            let stuck = |pids| LabError::Stuck { service, pids };
            state.family(service).kill().await.map_err(stuck)?;
            let variable = self
                .named_ports()
                .into_iter()
                .find(|(named, ..)| *named == service);
            if let Some((_, _, variable)) = variable {
                port::check_free(state.port(service), variable)?;
            }
        }
        match service {
            Service::Db => {
                state.db.start_again(&Installation::find().await?).await?;
                state.save(&self.folder)?;
            }
            _ if alive => state.family(service).resume(),
            _ => self.launch(state, service)?,
        }
        self.healthy(state, service).await?;
        match (alive, paused) {
            (false, _) => self.ready(state, service, "was dead, is up", start),
            (true, true) => self.ready(state, service, "was paused, goes on", start),
            (true, false) => {}
        }
        Ok(!alive || paused)
    }

    fn launch(&self, state: &mut State, service: Service) -> Result<(), LabError> {
        let binary = launch::binary(&self.binaries, service)?;
        launch::launch(state, service, &binary, &self.folder, &self.passed_on)?;
        state.save(&self.folder)
    }

    /// Waits until the service answers.
    pub(super) async fn healthy(&self, state: &State, service: Service) -> Result<(), LabError> {
        if service == Service::Db {
            return Ok(state.db.ready("holdfast").await?);
        }
        let probe = Probe::new(state.port(service));
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            let Err(problem) = probe.ready().await else {
                return Ok(());
            };
            let ended = !state.family(service).is_alive();
            if ended || Instant::now() > deadline {
                let log = logs::tail(&launch::log(&self.folder, service), LOG_LINES);
                let problem = if ended { "ended".to_owned() } else { problem };
                return Err(LabError::Unhealthy {
                    service,
                    problem,
                    log,
                });
            }
            sleep(POLL).await;
        }
    }

    pub(super) fn ready(&self, state: &State, service: Service, what: &str, since: Instant) {
        let address = match service {
            Service::Db => postgres::url(state.ports.db),
            _ => format!("http://127.0.0.1:{}", state.port(service)),
        };
        let seconds = since.elapsed().as_secs_f64();
        let what = self.console.paint(Tone::Good, what);
        self.console.say(format_args!(
            "  {service:<7} {what} after {seconds:.1} s  {address}"
        ));
    }

    fn named_ports(&self) -> [(Service, u16, &'static str); 3] {
        [
            (Service::Db, self.ports.db, "DB_PORT"),
            (Service::Worker, self.ports.worker, "WORKER_PORT"),
            (Service::Api, self.ports.api, "API_PORT"),
        ]
    }
}
