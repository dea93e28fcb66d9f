//! Bringing a system up as processes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::{env, fs, iter};

use super::process::Process;
use super::processes::{Links, Member, Processes, port_of};
use super::replicas::Replicas;
use super::{ApiSpec, Part, SystemSpec, WorkerSpec};
use crate::database::Database;
use crate::error::SystemError;
use crate::link::Link;
use crate::plan::Target;
use crate::ports;
use crate::postgres::{self, Cluster};
use crate::proxy::FaultProxy;
use crate::settings::Settings;
use crate::stage::{Service, ServiceProcess};

/// The table as a stranger may use it: `INSERT INTO requests DEFAULT VALUES RETURNING id` and
/// `UPDATE requests SET status = 'done' WHERE id = …` are enough.
const LENIENT_TABLE: &str = "
    ALTER TABLE requests ALTER id SET DEFAULT gen_random_uuid(), ALTER origin SET DEFAULT 'resilient',
        DROP CONSTRAINT requests_check;";

impl Processes {
    /// Starts all of it in `folder` and waits until it is ready.
    pub(super) async fn start_in(
        folder: &Path,
        spec: &SystemSpec,
        settings: &Settings,
    ) -> Result<Self, SystemError> {
        // Boxed: an ablation has more futures around it than the compiler looks into.
        let postgres = Box::pin(Postgres::start(spec)).await?;
        let site = Site { folder, settings };
        let worker = site.worker(Service::Worker.name(), spec.worker).await?;
        let mut links = Links::new();
        if spec.linked.contains(&Target::Worker) {
            links.insert(Target::Worker, link(worker.port, spec.seed).await?);
        }
        if let Postgres::One(it) = &postgres
            && spec.linked.contains(&Target::Database)
        {
            let link = link(it.port(), spec.seed.wrapping_add(1)).await?;
            links.insert(Target::Database, link);
        }
        let mut other_workers = Vec::new();
        for number in 2..=spec.workers.get() {
            let name = format!("{}-{number}", Service::Worker.name());
            other_workers.push(site.worker(&name, spec.worker).await?);
        }
        let first = port_of(links.get(&Target::Worker), worker.port);
        let reached = Reached {
            workers: iter::once(first)
                .chain(other_workers.iter().map(|worker| worker.port))
                .collect(),
            database: match &postgres {
                Postgres::One(it) => Urls::at(port_of(links.get(&Target::Database), it.port())),
                Postgres::Replicated(it) => it.urls.clone(),
            },
        };
        let mut members = Vec::new();
        for (index, api) in spec.apis.iter().enumerate() {
            if api.contender.is_some() {
                // Past any link.
                let own = match &postgres {
                    Postgres::One(it) => it.url(),
                    Postgres::Replicated(it) => it.urls.owner.clone(),
                };
                Database::Url(own).query(LENIENT_TABLE).await?;
            }
            let process = site.api(api, reached.without(api.without)?).await?;
            members.push(Member::new(Part::Api(index), process));
        }
        members.push(Member::new(Part::Worker, Process::Service(worker)));
        let replicas = match postgres {
            Postgres::One(it) => {
                members.push(Member::new(Part::Db, Process::Db(it)));
                None
            }
            Postgres::Replicated(it) => Some(it),
        };
        Ok(Self {
            members,
            replicas,
            other_workers,
            links,
            folder: folder.to_owned(),
            run_dir: None,
        })
    }
}

enum Postgres {
    One(Cluster),
    Replicated(Replicas),
}

impl Postgres {
    async fn start(spec: &SystemSpec) -> Result<Self, SystemError> {
        Ok(match spec.replication {
            None => Self::One(one(spec.tuning).await?),
            Some(replication) => Self::Replicated(Replicas::start(replication).await?),
        })
    }
}

/// Where Postgres is found: by the owner of its tables, and by the API's own role.
#[derive(Debug, Clone)]
pub(super) struct Urls {
    pub(super) owner: String,
    pub(super) api: String,
}

impl Urls {
    fn at(port: u16) -> Self {
        Self {
            owner: postgres::url(port),
            api: postgres::api_url(port),
        }
    }
}

#[derive(Debug, Clone)]
struct Reached {
    workers: Vec<u16>,
    database: Urls,
}

impl Reached {
    /// Nobody is where this part would be.
    fn without(&self, part: Option<Part>) -> Result<Self, SystemError> {
        let mut reached = self.clone();
        match part {
            Some(Part::Worker) => reached.workers = vec![free()?],
            Some(Part::Db) => reached.database = Urls::at(free()?),
            Some(Part::Api(_)) | None => {}
        }
        Ok(reached)
    }

    /// One URL, or several with commas between them.
    fn worker_urls(&self) -> String {
        let url = |port| format!("http://127.0.0.1:{port}");
        let urls: Vec<String> = self.workers.iter().map(url).collect();
        urls.join(",")
    }
}

#[derive(Clone, Copy)]
struct Site<'a> {
    folder: &'a Path,
    settings: &'a Settings,
}

impl Site<'_> {
    async fn worker(&self, name: &str, worker: WorkerSpec) -> Result<ServiceProcess, SystemError> {
        let variables = variables(worker.variables());
        let (service, home) = (Service::Worker, (self.folder, name));
        let Some(arguments) = worker.stand_in else {
            return ServiceProcess::start_own(service, home, variables, self.settings).await;
        };
        let lab = env::current_exe().map_err(SystemError::file("find", "this program"))?;
        ServiceProcess::start_program(service, (lab, arguments), home, variables).await
    }

    async fn api(&self, api: &ApiSpec, reached: Reached) -> Result<Process, SystemError> {
        let worker = reached.worker_urls();
        if let Some(contender) = &api.contender {
            // It knows nothing of the API's own role.
            let told = variables([
                ("WORKER_URL", worker),
                ("DATABASE_URL", reached.database.owner),
            ]);
            let started = ServiceProcess::start_contender(contender, self.folder, told).await;
            return started.map(Process::Service);
        }
        let policies = self.folder.join(format!("{}.toml", api.name));
        fs::write(&policies, &api.policies).map_err(SystemError::file("write", &policies))?;
        let mut told = variables([
            ("HOLDFAST_WORKER_URL", worker),
            ("DATABASE_URL", reached.database.api),
            ("HOLDFAST_POLICIES", policies.to_string_lossy().into_owned()),
            ("HOLDFAST_JOURNAL_DIR", "journal".to_owned()),
        ]);
        told.extend(variables(api.variables.iter().cloned()));
        let home = (self.folder, api.name.as_str());
        let started = ServiceProcess::start_own(Service::Api, home, told, self.settings).await;
        started.map(Process::Service)
    }
}

fn variables<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> BTreeMap<String, String> {
    let pairs = pairs.into_iter();
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value));
    pairs.collect()
}

async fn one(tuning: &[&str]) -> Result<Cluster, SystemError> {
    let mut cluster = Cluster::start().await?;
    if !tuning.is_empty() {
        postgres::execute(cluster.port(), "holdfast", tuning).await?;
        cluster.kill().await?;
        cluster.start_again().await?;
    }
    Ok(cluster)
}

async fn link(port: u16, seed: u64) -> Result<Arc<Link>, SystemError> {
    let upstream = ports::loopback(port).to_string();
    let proxy = FaultProxy::listen(ports::loopback(free()?), &upstream, seed).await;
    let proxy = proxy.map_err(SystemError::file("open", "a port for the fault proxy"))?;
    Ok(Arc::new(Link::Local(proxy)))
}

pub(super) fn free() -> Result<u16, SystemError> {
    ports::free().map_err(SystemError::file("find", "a free port"))
}
