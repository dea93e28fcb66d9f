//! Bringing the stage up: what is there is kept, what is dead is started. Where there is nothing, it starts fresh.

use std::fs;

use holdfast_ops::signals::StopSignals;
use tokio::time::Instant;

use super::state::State;
use super::{JOURNAL, Local, launch, lock};
use crate::debian;
use crate::error::SystemError;
use crate::output::Tone;
use crate::postgres::PostgresError;
use crate::postgres::{self, Installation, Server};
use crate::process::Launched;
use crate::stage::admin_client::AdminClient;
use crate::stage::ready::Awaited;
use crate::stage::{Service, port};

impl Local {
    /// Brings all three services up and waits until they are healthy. Nothing that is there is deleted; a stage that was
    /// begun and did not come up leaves its logs and nothing else.
    pub async fn up(&self) -> Result<(), SystemError> {
        let _lock = lock::take(&self.folder, &self.console).await?;
        match State::load(&self.folder)? {
            Some(state) if state.may_owe() => self.repair(state).await,
            remains => {
                if let Some(state) = remains {
                    self.end(&state).await?;
                }
                self.fresh().await
            }
        }
    }

    async fn fresh(&self) -> Result<(), SystemError> {
        let mut signals =
            StopSignals::listen().map_err(SystemError::file("listen for", "signals"))?;
        let installation = self.installation().await?;
        let mut state = self.prepare(&installation).await?;
        let result = tokio::select! {
            result = self.start_all(&mut state, &installation) => result,
            _ = signals.next() => Err(SystemError::Interrupted),
        };
        if result.is_err() {
            self.end(&state).await?;
            // Only an empty one goes: nothing is in it that somebody was promised.
            let _ = fs::remove_dir(self.folder.join(JOURNAL));
        }
        result
    }

    /// Finds Postgres; on Debian as root, installs it where it is missing.
    async fn installation(&self) -> Result<Installation, SystemError> {
        match Installation::find().await {
            Err(PostgresError::Missing { .. }) if debian::can_install(&self.settings) => {
                debian::install("postgresql", &self.settings).await?;
                Ok(Installation::find().await?)
            }
            found => Ok(found?),
        }
    }

    /// Checks what can be checked before anything runs, and records where everything will be. A journal that outlived its
    /// stage's record stays: the API brings over what it holds.
    async fn prepare(&self, installation: &Installation) -> Result<State, SystemError> {
        for service in [Service::Worker, Service::Api] {
            self.settings.program(launch::program(service))?;
        }
        for (service, port, variable) in self.named_ports() {
            port::check_free(port, variable)?;
            let log = launch::log(&self.folder, service);
            if log.exists() {
                fs::remove_file(&log).map_err(SystemError::file("delete", &log))?;
            }
        }
        let journal = self.folder.join(JOURNAL);
        fs::create_dir_all(&journal).map_err(SystemError::file("make", journal))?;
        let db = installation.folder_in(&self.folder).await?;
        let state = State {
            complete: false,
            ports: self.settings.ports,
            passed_on: self.settings.passed_on.clone(),
            worker: launch::tree(&self.folder, Service::Worker)?,
            api: launch::tree(&self.folder, Service::Api)?,
            db: Server::new(
                db,
                launch::log(&self.folder, Service::Db),
                self.settings.ports.db,
            ),
        };
        state.save(&self.folder)?;
        Ok(state)
    }

    async fn start_all(
        &self,
        state: &mut State,
        installation: &Installation,
    ) -> Result<(), SystemError> {
        let start = Instant::now();
        state.db.create(installation).await?;
        state.save(&self.folder)?;
        self.ready(state, Service::Db, "up", start);
        for service in [Service::Worker, Service::Api] {
            let start = Instant::now();
            let launched = self.launch(state, service)?;
            self.healthy(state, service, Some(launched)).await?;
            self.ready(state, service, "up", start);
        }
        state.complete = true;
        state.save(&self.folder)
    }

    async fn repair(&self, mut state: State) -> Result<(), SystemError> {
        if !state.is_alive() {
            // Nobody is left who would have to be told.
            state.move_to(self.settings.ports, self.settings.passed_on.clone());
        }
        let mut broken = false;
        for service in Service::ALL {
            broken |= self.bring_back(&mut state, service).await?;
            if service == Service::Db {
                self.bring_schema_up_to_date(&state).await?;
            }
        }
        state.complete = true;
        state.save(&self.folder)?;
        if !broken {
            self.console
                .say(format_args!("already up on port {}", state.ports.api));
        }
        if state.ports != self.settings.ports || state.passed_on != self.settings.passed_on {
            self.console
                .say("what ran already keeps its ports and variables until the next make down and make up");
        }
        Ok(())
    }

    /// Starts a dead service, resumes a paused one, waits until it is healthy; whether there was anything to do.
    pub(super) async fn bring_back(
        &self,
        state: &mut State,
        service: Service,
    ) -> Result<bool, SystemError> {
        let start = Instant::now();
        let (alive, paused) = (
            state.tree(service).is_alive(),
            state.tree(service).is_paused(),
        );
        if !alive {
            self.clear_the_way(state, service).await?;
        }
        let mut launched = None;
        match service {
            Service::Db => self.bring_back_db(state).await?,
            _ if alive => state.tree(service).resume(),
            _ => launched = Some(self.launch(state, service)?),
        }
        self.healthy(state, service, launched).await?;
        match (alive, paused) {
            (false, _) => self.ready(state, service, "was dead, is up", start),
            (true, true) => self.ready(state, service, "was paused, goes on", start),
            (true, false) => {}
        }
        Ok(!alive || paused)
    }

    /// Ends what a dead leader left behind, which would still hold the port, and sees that nobody else has it.
    async fn clear_the_way(&self, state: &State, service: Service) -> Result<(), SystemError> {
        let killed = state.tree(service).kill().await;
        killed.map_err(SystemError::stuck(service))?;
        let mut ports = self.named_ports().into_iter();
        match ports.find(|(named, ..)| *named == service) {
            Some((_, _, variable)) => port::check_free(state.port(service), variable),
            None => Ok(()),
        }
    }

    /// On its data. Where somebody has deleted them, on new ones: the journal may still owe.
    async fn bring_back_db(&self, state: &mut State) -> Result<(), SystemError> {
        let installation = self.installation().await?;
        if state.db.has_data() || state.db.tree.is_alive() {
            state.db.start_again(&installation).await?;
        } else {
            let gone = state.db.folder.display();
            self.console
                .say(format_args!("  {gone} is gone: the database starts empty"));
            let folder = installation.folder_in(&self.folder).await?;
            state.db = Server::new(folder, state.db.log.clone(), state.db.port);
            state.save(&self.folder)?;
            state.db.create(&installation).await?;
        }
        state.save(&self.folder)
    }

    fn launch(&self, state: &mut State, service: Service) -> Result<Launched, SystemError> {
        let binary = self.settings.program(launch::program(service))?;
        let launched = launch::launch(
            state,
            service,
            &binary,
            &self.folder,
            &self.settings.passed_on,
        )?;
        state.save(&self.folder)?;
        Ok(launched)
    }

    /// Waits until the service answers.
    pub(super) async fn healthy(
        &self,
        state: &State,
        service: Service,
        launched: Option<Launched>,
    ) -> Result<(), SystemError> {
        if service == Service::Db {
            return Ok(state.db.ready("holdfast").await?);
        }
        let awaited = Awaited {
            service,
            tree: state.tree(service),
            probe: &AdminClient::new(state.port(service)),
            log: &launch::log(&self.folder, service),
            launched,
        };
        awaited.ready().await
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
            (Service::Db, self.settings.ports.db, "DB_PORT"),
            (Service::Worker, self.settings.ports.worker, "WORKER_PORT"),
            (Service::Api, self.settings.ports.api, "API_PORT"),
        ]
    }
}
