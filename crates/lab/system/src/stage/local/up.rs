//! Bringing the stage up: what is there is kept, what is dead is started. Where there is nothing, it starts fresh.

use std::fs;

use tokio::process::Command;
use tokio::time::Instant;

use super::state::State;
use super::{JOURNAL, Local, launch};
use crate::debian;
use crate::error::SystemError;
use crate::files::deleted;
use crate::postgres::{self, Installation, PostgresError, ROLE_SQL, Server};
use crate::program;
use crate::stage::{Service, port, stop_signals, tell, unless_interrupted, well};

impl Local {
    /// Brings all three services up and waits until they are healthy. Nothing that is there is deleted; a stage that was
    /// begun and did not come up leaves its logs and nothing else.
    pub async fn up(&self) -> Result<(), SystemError> {
        let _lock = self.lock().await?;
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
        let signals = stop_signals()?;
        let installation = self.installation().await?;
        let mut state = self.prepare(&installation).await?;
        let started = self.start_all(&mut state, &installation);
        let result = unless_interrupted(signals, started).await;
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
            Err(PostgresError::Missing(_)) if debian::can_install(&self.settings) => {
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
        for (service, port, variable) in self.settings.ports.named() {
            port::check_free(port, variable)?;
            let log = launch::log(&self.folder, service);
            deleted(fs::remove_file(&log)).map_err(SystemError::file("delete", log))?;
        }
        let journal = self.folder.join(JOURNAL);
        fs::create_dir_all(&journal).map_err(SystemError::file("make", journal))?;
        let db = installation.folder_in(&self.folder).await?;
        let log = launch::log(&self.folder, Service::Db);
        let state = State {
            complete: false,
            ports: self.settings.ports,
            passed_on: self.settings.passed_on.clone(),
            worker: launch::tree(&self.folder, Service::Worker)?,
            api: launch::tree(&self.folder, Service::Api)?,
            db: Server::new(db, log, self.settings.ports.db),
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
        state.db.create(installation, None).await?;
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

    /// An earlier release may have made the database: migrates it and sees that the API's role is there. By the tables' owner,
    /// which the API itself is not.
    async fn bring_schema_up_to_date(&self, state: &State) -> Result<(), SystemError> {
        let mut migrate = Command::new(self.settings.program("holdfast-api")?);
        migrate.arg("migrate").env_clear();
        migrate.env("DATABASE_URL", postgres::url(state.ports.db));
        let output = program::output(&mut migrate).await?;
        if !output.status.success() {
            return Err(SystemError::Program {
                command: "holdfast-api migrate".to_owned(),
                output: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            });
        }
        Ok(postgres::execute(state.ports.db, "holdfast", &[ROLE_SQL]).await?)
    }

    /// Starts a dead service, resumes a paused one, waits until it is healthy; whether there was anything to do.
    pub(super) async fn bring_back(
        &self,
        state: &mut State,
        service: Service,
    ) -> Result<bool, SystemError> {
        let start = Instant::now();
        let tree = state.tree(service);
        let (alive, paused) = (tree.is_alive(), tree.is_paused());
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
        for (_, port, variable) in state.ports.named().iter().filter(|it| it.0 == service) {
            port::check_free(*port, variable)?;
        }
        Ok(())
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
            state.db.create(&installation, None).await?;
        }
        state.save(&self.folder)
    }

    pub(super) fn ready(&self, state: &State, service: Service, what: &str, since: Instant) {
        let address = match service {
            Service::Db => postgres::url(state.ports.db),
            _ => format!("http://127.0.0.1:{}", state.port(service)),
        };
        let well = well(self.console, what, since);
        tell(self.console, service, format_args!("{well}  {address}"));
    }
}
