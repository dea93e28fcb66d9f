//! The scene as processes of this machine, on ports of their own, in a temporary folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::Making;
use super::api::Api;
use super::contender::{ContenderProcess, LENIENT_TABLE};
use super::wires::Wires;
use crate::check::Database;
use crate::error::LabError;
use crate::experiment::look::Look;
use crate::experiment::plan::Target;
use crate::experiment::trial::Sight;
use crate::output::Console;
use crate::own_folder::OwnFolder;
use crate::ports;
use crate::postgres::{self, Cluster, ClusterOptions};
use crate::proxy::FaultProxy;
use crate::settings::{Ports, Settings};
use crate::stage::{Probe, Service, ServiceProcess};
use crate::wire::Wire;

/// Kind of its folder's name.
const KIND: &str = "experiment";

/// Everything ends with this value.
#[derive(Debug)]
pub(in crate::experiment) struct LocalScene {
    // Services first: fields are dropped in this order, and none shall see the others die.
    // Each by itself: what one of them waits for holds up none of the others.
    api: Mutex<Api>,
    worker: Mutex<ServiceProcess>,
    cluster: Mutex<Cluster>,
    probes: Probes,
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
        match Raised::in_folder(folder.path(), making, settings).await {
            Ok(raised) => Ok(raised.owning(folder)),
            Err(error) => Err(folder.left_by(error)),
        }
    }

    pub(super) fn api(&self) -> Probe {
        self.probes.api.clone()
    }

    pub(super) fn worker(&self) -> Probe {
        self.probes.worker.clone()
    }

    pub(super) fn database_port(&self) -> u16 {
        self.probes.ports.db
    }

    pub(super) fn wire(&self, target: Target) -> Option<&Arc<Wire>> {
        self.wires.to(target)
    }

    pub(super) async fn look(&self, target: Target, on_the_wire: bool, patience: Duration) -> Look {
        let own = match target {
            Target::Worker => self.probes.ports.worker,
            Target::Database => self.probes.ports.db,
            Target::Api => self.probes.ports.api,
        };
        let wire = self.wire(target).filter(|_| on_the_wire);
        let address = ports::loopback(port_of(wire, own));
        match Look::at(target, &address.to_string(), patience).await {
            // A contender need not serve the route that ours is looked at by: any answer shows that it lives.
            Look::Error { .. } if target == Target::Api && self.probes.foreign => Look::Well {
                after: Duration::ZERO,
            },
            look => look,
        }
    }

    pub(super) async fn stop_contender(&self) -> Option<Sight> {
        self.api.lock().await.stop().await
    }

    pub(super) async fn kill(&self, service: Service) -> Result<(), LabError> {
        match service {
            Service::Db => Ok(self.cluster.lock().await.kill().await?),
            Service::Worker => self.worker.lock().await.kill().await,
            Service::Api => self.api.lock().await.kill().await,
        }
    }

    pub(super) async fn start(&self, service: Service) -> Result<(), LabError> {
        match service {
            Service::Db => Ok(self.cluster.lock().await.start_again().await?),
            Service::Worker => self.worker.lock().await.start().await,
            Service::Api => self.api.lock().await.start().await,
        }
    }

    pub(super) async fn pause(&self, service: Service) -> Result<(), LabError> {
        match service {
            Service::Db => Ok(self.cluster.lock().await.pause().await?),
            Service::Worker => self.worker.lock().await.pause().await,
            Service::Api => self.api.lock().await.pause().await,
        }
    }

    pub(super) async fn resume(&self, service: Service) {
        match service {
            Service::Db => self.cluster.lock().await.resume(),
            Service::Worker => self.worker.lock().await.resume(),
            Service::Api => self.api.lock().await.resume(),
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
        let _ = fs::copy(
            self.cluster.get_mut().log(),
            self.folder.path().join("db.log"),
        );
        self.folder.path()
    }

    /// Ends all of it; what is still there afterwards.
    pub(super) async fn lower(self) -> Vec<String> {
        for service in Service::ALL {
            self.resume(service).await;
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

/// What runs, on its way to a scene.
struct Raised {
    api: Api,
    worker: ServiceProcess,
    cluster: Cluster,
    wires: Wires,
}

impl Raised {
    async fn in_folder(
        folder: &Path,
        making: &Making,
        settings: &Settings,
    ) -> Result<Self, LabError> {
        let cluster = Cluster::start(ClusterOptions::default()).await?;
        let worker = worker(folder, making, settings).await?;
        let (wired, seed) = (making.wired, making.seed);
        let wires = Wires {
            worker: wire(wired.worker, worker.port(), seed).await?,
            database: wire(wired.database, cluster.port(), seed.wrapping_add(1)).await?,
        };
        let worker_port = port_of(wires.worker.as_ref(), worker.port());
        let database_port = port_of(wires.database.as_ref(), cluster.port());
        let api = match &making.contender {
            Some(contender) => {
                let database = Database::Port(cluster.port());
                database.query(LENIENT_TABLE).await?;
                let variables = [
                    ("WORKER_URL", format!("http://127.0.0.1:{worker_port}")),
                    ("DATABASE_URL", postgres::url(database_port)),
                ];
                let variables = variables.map(|(name, value)| (name.to_owned(), value));
                let started = ContenderProcess::start_in(folder, contender, variables.into());
                Api::Contender(started.await?)
            }
            None => {
                let ports = (worker_port, database_port);
                Api::Own(own_api(folder, ports, making, settings).await?)
            }
        };
        Ok(Self {
            api,
            worker,
            cluster,
            wires,
        })
    }

    fn owning(self, folder: OwnFolder) -> LocalScene {
        LocalScene {
            probes: Probes {
                foreign: matches!(self.api, Api::Contender(_)),
                api: self.api.probe().clone(),
                worker: self.worker.probe().clone(),
                ports: Ports {
                    api: self.api.port(),
                    worker: self.worker.port(),
                    db: self.cluster.port(),
                },
            },
            api: Mutex::new(self.api),
            worker: Mutex::new(self.worker),
            cluster: Mutex::new(self.cluster),
            wires: self.wires,
            folder,
        }
    }
}

/// Where they are asked; the same for as long as they live.
#[derive(Debug)]
struct Probes {
    /// Whether the API is a contender.
    foreign: bool,
    api: Probe,
    worker: Probe,
    ports: Ports,
}

async fn own_api(
    folder: &Path,
    (worker, database): (u16, u16),
    making: &Making,
    settings: &Settings,
) -> Result<ServiceProcess, LabError> {
    let policies = folder.join("policies.toml");
    fs::write(&policies, &making.policies).map_err(LabError::file("write", &policies))?;
    let variables = [
        ("HOLDFAST_WORKER_URL", format!("http://127.0.0.1:{worker}")),
        ("DATABASE_URL", postgres::url(database)),
        ("HOLDFAST_POLICIES", policies.display().to_string()),
        (
            "HOLDFAST_JOURNAL_DIR",
            folder.join("journal").display().to_string(),
        ),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value));
    let home = (folder, Service::Api.name());
    ServiceProcess::start_own(Service::Api, home, variables.into(), settings).await
}

async fn worker(
    folder: &Path,
    making: &Making,
    settings: &Settings,
) -> Result<ServiceProcess, LabError> {
    let variables = making.of_the_worker();
    let variables = variables.map(|(name, value)| (name.to_owned(), value));
    let variables = BTreeMap::from(variables);
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
