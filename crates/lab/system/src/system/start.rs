//! Bringing a system up.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::{env, fs, iter};

use super::contender::{ContenderProcess, LENIENT_TABLE};
use super::process::Process;
use super::{ApiSpec, Contender, Member, Part, System, SystemSpec, Wires, WorkerSpec};
use crate::database::Database;
use crate::error::SystemError;
use crate::ports;
use crate::postgres::{self, Cluster, ClusterOptions};
use crate::proxy::FaultProxy;
use crate::settings::Settings;
use crate::stage::{Service, ServiceProcess};
use crate::wire::Wire;

impl System {
    /// Starts all of it in `folder` and waits until it is ready.
    ///
    /// # Errors
    /// When a part does not start; those that did are ended.
    pub async fn start_in(
        folder: &Path,
        spec: &SystemSpec,
        settings: &Settings,
    ) -> Result<Self, SystemError> {
        let cluster = Cluster::start(ClusterOptions::default()).await?;
        let database = cluster.port();
        let site = Site { folder, settings };
        let worker = site.worker(Service::Worker.name(), spec.worker).await?;
        let (wired, seed) = (spec.wired, spec.seed);
        let wires = Wires {
            worker: wire(wired.worker, worker.port(), seed).await?,
            database: wire(wired.database, database, seed.wrapping_add(1)).await?,
        };
        let mut others = Vec::new();
        for number in 2..=spec.workers.get() {
            let name = format!("{}-{number}", Service::Worker.name());
            others.push(site.worker(&name, spec.worker).await?);
        }
        let first = port_of(wires.worker.as_ref(), worker.port());
        let ports = iter::once(first).chain(others.iter().map(ServiceProcess::port));
        let port = port_of(wires.database.as_ref(), database);
        let reached = Reached {
            worker: ports.map(at).collect::<Vec<_>>().join(","),
            database: postgres::api_url(port),
        };
        let mut members = Vec::new();
        for (index, api) in spec.apis.iter().enumerate() {
            let process = match &api.contender {
                None => Process::Service(site.api(api, &reached).await?),
                Some(contender) => {
                    Database::Port(database).query(LENIENT_TABLE).await?;
                    // It knows nothing of the API's own role.
                    let reached = Reached {
                        database: postgres::url(port),
                        ..reached.clone()
                    };
                    Process::Contender(site.contender(contender, &reached).await?)
                }
            };
            members.push(Member::new(Part::Api(index), process));
        }
        members.push(Member::new(Part::Worker, Process::Service(worker)));
        members.push(Member::new(Part::Db, Process::Db(cluster)));
        Ok(Self {
            members,
            others,
            wires,
        })
    }
}

/// Where an API finds its dependencies.
#[derive(Debug, Clone)]
pub struct Reached {
    /// One URL, or several with commas between them.
    pub worker: String,
    /// As a connection string.
    pub database: String,
}

/// Where services of a command's own are started, one by one.
#[derive(Clone, Copy)]
pub struct Site<'a> {
    /// Where they live and log.
    pub folder: &'a Path,
    /// Where their programs are, and what they may be told.
    pub settings: &'a Settings,
}

impl Site<'_> {
    /// Starts a worker and waits until it is ready.
    pub async fn worker(
        &self,
        name: &str,
        worker: WorkerSpec,
    ) -> Result<ServiceProcess, SystemError> {
        let variables = variables(worker.variables());
        let (service, home) = (Service::Worker, (self.folder, name));
        let Some(arguments) = worker.stand_in else {
            return ServiceProcess::start_own(service, home, variables, self.settings).await;
        };
        let lab = env::current_exe().map_err(SystemError::file("find", "this program"))?;
        ServiceProcess::start_program(service, (lab, arguments), home, variables).await
    }

    /// Starts an API and waits until it is ready.
    pub async fn api(
        &self,
        api: &ApiSpec,
        reached: &Reached,
    ) -> Result<ServiceProcess, SystemError> {
        let policies = self.folder.join(format!("{}.toml", api.name));
        fs::write(&policies, &api.policies).map_err(SystemError::file("write", &policies))?;
        let mut variables = variables([
            ("HOLDFAST_WORKER_URL", reached.worker.clone()),
            ("DATABASE_URL", reached.database.clone()),
            ("HOLDFAST_POLICIES", policies.to_string_lossy().into_owned()),
            ("HOLDFAST_JOURNAL_DIR", "journal".to_owned()),
        ]);
        let own = api.variables.iter();
        variables.extend(own.map(|(name, value)| ((*name).to_owned(), value.clone())));
        let home = (self.folder, api.name.as_str());
        ServiceProcess::start_own(Service::Api, home, variables, self.settings).await
    }

    async fn contender(
        &self,
        contender: &Contender,
        reached: &Reached,
    ) -> Result<ContenderProcess, SystemError> {
        let Reached { worker, database } = reached.clone();
        let variables = [("WORKER_URL", worker), ("DATABASE_URL", database)];
        ContenderProcess::start_in(self.folder, contender, self::variables(variables)).await
    }
}

fn variables<const N: usize>(pairs: [(&str, String); N]) -> BTreeMap<String, String> {
    pairs.map(|(name, value)| (name.to_owned(), value)).into()
}

async fn wire(wanted: bool, port: u16, seed: u64) -> Result<Option<Arc<Wire>>, SystemError> {
    if !wanted {
        return Ok(None);
    }
    let upstream = ports::loopback(port).to_string();
    let proxy = FaultProxy::listen(ports::loopback(free()?), &upstream, seed).await;
    let proxy = proxy.map_err(SystemError::file("open", "a port for the fault proxy"))?;
    Ok(Some(Arc::new(Wire::Local(proxy))))
}

/// Where a dependency is reached: by its wire, where there is one.
pub fn port_of(wire: Option<&Arc<Wire>>, own: u16) -> u16 {
    match wire.map(Arc::as_ref) {
        Some(Wire::Local(proxy)) => proxy.addr().port(),
        _ => own,
    }
}

fn at(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn free() -> Result<u16, SystemError> {
    ports::free().map_err(SystemError::file("find", "a free port"))
}
