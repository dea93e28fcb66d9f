//! The scene as processes of this machine, on ports of their own, in a temporary folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::Making;
use super::wires::Wires;
use crate::error::LabError;
use crate::experiment::look::Look;
use crate::experiment::plan::Target;
use crate::output::Console;
use crate::own_folder::OwnFolder;
use crate::ports;
use crate::postgres::{self, Cluster, ClusterOptions};
use crate::proxy::FaultProxy;
use crate::settings::Settings;
use crate::stage::{Probe, Service, ServiceProcess};
use crate::wire::Wire;

/// Kind of its folder's name.
const KIND: &str = "experiment";

/// Everything ends with this value.
#[derive(Debug)]
pub(in crate::experiment) struct LocalScene {
    // Services first: fields are dropped in this order, and none shall see the others die.
    api: ServiceProcess,
    worker: ServiceProcess,
    cluster: Cluster,
    wires: Wires,
    folder: OwnFolder,
}

impl LocalScene {
    pub(super) async fn raise(
        making: &Making,
        settings: &Settings,
        console: Console,
    ) -> Result<Self, LabError> {
        let folder = OwnFolder::make(KIND, settings, console).await?;
        let settings = &without_log_filter(settings);
        let cluster = Cluster::start(ClusterOptions::default()).await?;
        let worker = worker(folder.path(), making.work_delay, settings).await?;
        let (wired, seed) = (making.wired, making.seed);
        let wires = Wires {
            worker: wire(wired.worker, worker.port(), seed).await?,
            database: wire(wired.database, cluster.port(), seed.wrapping_add(1)).await?,
        };
        let worker_port = port_of(wires.worker.as_ref(), worker.port());
        let database_port = port_of(wires.database.as_ref(), cluster.port());
        let policies = folder.path().join("policies.toml");
        fs::write(&policies, &making.policies).map_err(LabError::file("write", &policies))?;
        let variables = [
            (
                "HOLDFAST_WORKER_URL",
                format!("http://127.0.0.1:{worker_port}"),
            ),
            ("DATABASE_URL", postgres::url(database_port)),
            ("HOLDFAST_POLICIES", text(&policies)),
            ("HOLDFAST_JOURNAL_DIR", text(&folder.path().join("journal"))),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value));
        let home = (folder.path(), Service::Api.name());
        let api = ServiceProcess::start_own(Service::Api, home, variables.into(), settings);
        Ok(Self {
            api: api.await?,
            worker,
            cluster,
            wires,
            folder,
        })
    }

    pub(super) fn api(&self) -> Probe {
        self.api.probe().clone()
    }

    pub(super) fn worker(&self) -> Probe {
        self.worker.probe().clone()
    }

    pub(super) fn database_port(&self) -> u16 {
        self.cluster.port()
    }

    pub(super) fn wire(&self, target: Target) -> Option<&Arc<Wire>> {
        self.wires.to(target)
    }

    pub(super) async fn look(&self, target: Target, on_the_wire: bool, patience: Duration) -> Look {
        let own = match target {
            Target::Worker => self.worker.port(),
            Target::Database => self.cluster.port(),
            Target::Api => self.api.port(),
        };
        let wire = self.wire(target).filter(|_| on_the_wire);
        let address = ports::loopback(port_of(wire, own));
        Look::at(target, &address.to_string(), patience).await
    }

    pub(super) async fn kill(&self, service: Service) -> Result<(), LabError> {
        match service {
            Service::Db => Ok(self.cluster.kill().await?),
            Service::Worker => self.worker.kill().await,
            Service::Api => self.api.kill().await,
        }
    }

    pub(super) async fn start(&mut self, service: Service) -> Result<(), LabError> {
        match service {
            Service::Db => Ok(self.cluster.start_again().await?),
            Service::Worker => self.worker.start().await,
            Service::Api => self.api.start().await,
        }
    }

    pub(super) async fn pause(&self, service: Service) -> Result<(), LabError> {
        match service {
            Service::Db => Ok(self.cluster.pause().await?),
            Service::Worker => self.worker.pause().await,
            Service::Api => self.api.pause().await,
        }
    }

    pub(super) fn resume(&self, service: Service) {
        match service {
            Service::Db => self.cluster.resume(),
            Service::Worker => self.worker.resume(),
            Service::Api => self.api.resume(),
        }
    }

    /// What the API has logged so far.
    pub(super) fn api_log(&self) -> Result<String, LabError> {
        let log = self.folder.path().join("api.log");
        fs::read_to_string(&log).map_err(LabError::file("read", log))
    }

    pub(super) fn keep(&mut self) -> &Path {
        self.folder.keep();
        // What cannot be copied is missed by whoever looks for it, and by nobody else.
        let _ = fs::copy(self.cluster.log(), self.folder.path().join("db.log"));
        self.folder.path()
    }

    /// Ends all of it; what is still there afterwards.
    pub(super) async fn lower(self) -> Vec<String> {
        for service in Service::ALL {
            self.resume(service);
        }
        let mut left = Vec::new();
        for service in [Service::Api, Service::Worker, Service::Db] {
            left.extend(
                self.kill(service)
                    .await
                    .err()
                    .map(|error| error.to_string()),
            );
        }
        left
    }
}

async fn worker(
    folder: &Path,
    work_delay: Duration,
    settings: &Settings,
) -> Result<ServiceProcess, LabError> {
    let delay = format!("{}ms", work_delay.as_millis());
    let variables = BTreeMap::from([("HOLDFAST_WORK_DELAY".to_owned(), delay)]);
    let home = (folder, Service::Worker.name());
    ServiceProcess::start_own(Service::Worker, home, variables, settings).await
}

async fn wire(wanted: bool, port: u16, seed: u64) -> Result<Option<Arc<Wire>>, LabError> {
    if !wanted {
        return Ok(None);
    }
    let failed = || LabError::file("open", "a port for the fault proxy");
    let own = ports::loopback(ports::free().map_err(failed())?);
    let upstream = ports::loopback(port).to_string();
    let proxy = FaultProxy::listen(own, &upstream, seed)
        .await
        .map_err(failed())?;
    Ok(Some(Arc::new(Wire::Local(proxy))))
}

fn port_of(wire: Option<&Arc<Wire>>, own: u16) -> u16 {
    match wire.map(Arc::as_ref) {
        Some(Wire::Local(proxy)) => proxy.addr().port(),
        _ => own,
    }
}

/// Breakers' changes of state are read from the API's log, which the caller's filter could hide.
fn without_log_filter(settings: &Settings) -> Settings {
    let mut settings = settings.clone();
    settings.passed_on.remove("RUST_LOG");
    settings
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
