//! The scene as processes of this machine, on ports of their own, in a temporary folder.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::Making;
use crate::error::SystemError;
use crate::look::Look;
use crate::output::Console;
use crate::own_folder::OwnFolder;
use crate::plan::Target;
use crate::ports;
use crate::settings::{Ports, Settings};
use crate::stage::Service;
use crate::system::{ApiSpec, Part, System, SystemSpec, port_of};

/// Kind of its folder's name.
const KIND: &str = "experiment";

/// Everything ends with this value.
#[derive(Debug)]
pub(super) struct LocalScene {
    // First, and so dropped before the folder it lives in.
    pub(super) system: System,
    pub(super) ports: Ports,
    /// Whether the API is a contender.
    foreign: bool,
    folder: OwnFolder,
}

impl LocalScene {
    pub(super) async fn raise(
        making: &Making,
        settings: &Settings,
        console: Console,
    ) -> Result<Self, SystemError> {
        let folder = OwnFolder::make(KIND, settings, console).await?;
        let settings = &without_log_filter(settings);
        let system = match System::start_in(folder.path(), &spec(making), settings).await {
            Ok(system) => system,
            Err(error) => return Err(folder.left_by(error)),
        };
        Ok(Self {
            foreign: making.contender.is_some(),
            ports: Ports {
                api: system.port(Part::Api(0))?,
                worker: system.port(Part::Worker)?,
                db: system.port(Part::Db)?,
            },
            system,
            folder,
        })
    }

    pub(super) async fn look(&self, target: Target, on_the_wire: bool, patience: Duration) -> Look {
        let own = match target {
            Target::Worker => self.ports.worker,
            Target::Database => self.ports.db,
            Target::Api | Target::Node => self.ports.api,
        };
        let wire = self.system.wire(target).filter(|_| on_the_wire);
        let address = ports::loopback(port_of(wire, own));
        match Look::at(target, &address.to_string(), patience).await {
            // A contender need not serve the route that ours is looked at by: any answer shows that it lives.
            Look::Error { .. } if target == Target::Api && self.foreign => Look::Well {
                after: Duration::ZERO,
            },
            look => look,
        }
    }

    /// What the API has logged so far.
    pub(super) fn api_log(&self) -> Result<String, SystemError> {
        let log = self.folder.path().join("api.log");
        fs::read_to_string(&log).map_err(SystemError::file("read", log))
    }

    pub(super) async fn keep(&mut self) -> &Path {
        self.folder.keep();
        self.system.leave_logs(self.folder.path()).await;
        self.folder.path()
    }

    /// Ends all of it; what is still there afterwards.
    pub(super) async fn lower(self) -> Vec<String> {
        self.system.lower().await
    }
}

fn spec(making: &Making) -> SystemSpec {
    let mut api = ApiSpec::new(Service::Api.name(), &making.policies);
    api.contender.clone_from(&making.contender);
    SystemSpec {
        workers: making.workers,
        wired: making.wired,
        seed: making.seed,
        ..SystemSpec::new(making.worker(), vec![api])
    }
}

/// Breakers' changes of state are read from the API's log, which the caller's filter could hide.
fn without_log_filter(settings: &Settings) -> Settings {
    let mut settings = settings.clone();
    settings.passed_on.remove("RUST_LOG");
    settings
}

/// As the system knows it.
pub(super) fn part(target: Target) -> Part {
    match target {
        Target::Database => Part::Db,
        Target::Worker => Part::Worker,
        Target::Api | Target::Node => Part::Api(0),
    }
}
