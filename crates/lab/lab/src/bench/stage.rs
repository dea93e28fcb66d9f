//! What is measured: a worker without delay, a Postgres, and an API for each way of being without something.

use std::path::Path;
use std::time::Duration;

use holdfast_system::error::SystemError;
use tokio_postgres::NoTls;

use super::contender::{Contender, Load};
use super::pgbench::Pgbench;
use super::wrk::Wrk;
use crate::error::LabError;
use crate::ports;
use crate::postgres::{self, Cluster, ClusterOptions};
use crate::settings::Settings;
use crate::stage::ServiceProcess;
use crate::system::{ApiSpec, Reached, Site, WorkerSpec};

/// Callers at once, unless a contender's name says otherwise.
pub(super) const CALLERS: u32 = 64;
/// As many sessions as pgbench's 256 clients and all APIs may want. They need no password: 256 logins with one would take
/// longer than a measurement.
const FOR_MANY: [&str; 2] = [
    "ALTER SYSTEM SET max_connections = 500",
    "DO $$ BEGIN EXECUTE format('COPY (SELECT ''host all all 127.0.0.1/32 trust'') TO %L', current_setting('hba_file')); \
     END $$",
];
/// Room for the whole measurement, and patience for a disk that syncs each record by itself.
const JOURNAL: &str = "max_bytes = 8589934592\ndeadline = \"2s\"\n";
/// The worker of that API never catches up.
pub(super) const OPEN_WORK: &str = "[recovery]\nmax_open = 1000000000\n";

/// All of it. Dropping it ends it.
pub(super) struct Stage {
    database: Cluster,
    /// Holds what is owed to clients of the dead worker, which nobody else is to catch up on.
    _database_of_worker_dead: Cluster,
    _worker: ServiceProcess,
    /// Worker and Postgres are there.
    healthy: ServiceProcess,
    observed: ServiceProcess,
    unobserved: ServiceProcess,
    /// Without a database.
    pub(super) journal_shared: ServiceProcess,
    pub(super) journal_one_each: ServiceProcess,
    /// Without a worker.
    worker_dead: ServiceProcess,
}

impl Stage {
    /// Starts it in `folder`.
    ///
    /// # Errors
    /// When a part does not start.
    pub(super) async fn start(settings: &Settings, folder: &Path) -> Result<Self, SystemError> {
        let database = roomy_database().await?;
        let other = Cluster::start(ClusterOptions::default()).await?;
        let worker = start_worker(settings, folder).await?;
        let apis = Apis { settings, folder };
        let nobody = free()?;
        let healthy = Reached {
            worker: worker.probe().base().to_owned(),
            database: database.api_url(),
        };
        let journal_only = Reached {
            database: postgres::api_url(nobody),
            ..healthy.clone()
        };
        let without_worker = Reached {
            worker: format!("http://127.0.0.1:{nobody}"),
            database: other.api_url(),
        };
        let shared = format!("[journal]\n{JOURNAL}");
        let one_each = format!("{shared}max_batch = 1\n");
        Ok(Self {
            healthy: apis.start("api", &healthy, "", None).await?,
            observed: apis.start("observed", &healthy, "", Some("on")).await?,
            unobserved: apis.start("unobserved", &healthy, "", Some("off")).await?,
            journal_shared: apis.start("journal", &journal_only, &shared, None).await?,
            journal_one_each: apis
                .start("one-each", &journal_only, &one_each, None)
                .await?,
            worker_dead: apis
                .start("worker-dead", &without_worker, OPEN_WORK, None)
                .await?,
            database,
            _database_of_worker_dead: other,
            _worker: worker,
        })
    }

    /// Who takes turns, in the order in which they warm up.
    ///
    /// # Errors
    /// When a script cannot be written.
    pub(super) fn contenders(&self, folder: &Path) -> Result<Vec<Contender>, LabError> {
        let http = |name, api: &ServiceProcess, path, callers| {
            let url = format!("{}{path}", api.probe().base());
            Contender::new(name, Load::Http(Wrk::new(url, callers, folder)))
        };
        let process = |name, api, callers| http(name, api, "/process", callers);
        let naive = |name, callers| http(name, &self.healthy, "/naive/process", callers);
        let pgbench = |name, clients| -> Result<_, LabError> {
            let pgbench = Pgbench::prepare(&self.database, clients, folder)?;
            Ok(Contender::new(name, Load::Statements(pgbench)))
        };
        super::wrk::write_pace(folder)?;
        let mut contenders = vec![
            naive("naive", CALLERS),
            process("resilient", &self.healthy, CALLERS),
            pgbench("pgbench", CALLERS)?,
            naive("naive_256", 256),
            process("resilient_256", &self.healthy, 256),
            pgbench("pgbench_256", 256)?,
            naive("naive_1", 1),
            process("resilient_1", &self.healthy, 1),
            process("observers_on", &self.observed, CALLERS),
            process("observers_off", &self.unobserved, CALLERS),
            process("journal_only", &self.journal_shared, CALLERS),
            process("journal_one_each", &self.journal_one_each, CALLERS),
            process("worker_dead", &self.worker_dead, CALLERS),
        ];
        let mut half = process("worker_dead_half", &self.worker_dead, CALLERS);
        half.half_of = Some(contenders.len() - 1);
        contenders.push(half);
        Ok(contenders)
    }

    /// A degraded answer is a 2xx to wrk; the API knows better.
    ///
    /// # Errors
    /// When the worker or Postgres failed where they were to be well.
    pub(super) async fn nothing_failed(&self) -> Result<(), LabError> {
        for api in [&self.healthy, &self.observed, &self.unobserved] {
            let dependencies = api.probe().status().await?.dependencies;
            for (name, dependency) in [
                ("worker", dependencies.worker.dependency),
                ("database", dependencies.database.dependency),
            ] {
                if let Some(reason) = dependency.last_error {
                    let problem = format!("void: the {name} failed meanwhile ({reason})");
                    return Err(LabError::Measurement(problem));
                }
            }
        }
        Ok(())
    }
}

/// One that takes no time.
pub(super) async fn start_worker(
    settings: &Settings,
    folder: &Path,
) -> Result<ServiceProcess, SystemError> {
    let settings = &logging(settings, None);
    let worker = WorkerSpec::new(Duration::ZERO);
    Site { folder, settings }.worker("worker", worker).await
}

/// Starts APIs side by side.
pub(super) struct Apis<'a> {
    pub(super) settings: &'a Settings,
    pub(super) folder: &'a Path,
}

impl Apis<'_> {
    /// One before this worker and database, by these policies; `observe`: its observers `on`, with the log, or `off`.
    pub(super) async fn start(
        &self,
        name: &str,
        reached: &Reached,
        policies: &str,
        observe: Option<&str>,
    ) -> Result<ServiceProcess, SystemError> {
        let mut api = ApiSpec::new(name, policies);
        let observers = observe.unwrap_or("on").to_owned();
        api.variables.push(("HOLDFAST_OBSERVE", observers));
        let (folder, settings) = (self.folder, &logging(self.settings, observe));
        Site { folder, settings }.api(&api, reached).await
    }
}

/// No line per request unless the caller asks for it. Where observers are measured, what the caller wants to see must not
/// decide: the usual log, or none.
pub(super) fn logging(settings: &Settings, observe: Option<&str>) -> Settings {
    let mut settings = settings.clone();
    let asked_for = settings.log_filter().map(|(_, filter)| filter);
    let filter = match observe {
        Some("off") => "off".to_owned(),
        Some(_) => "info".to_owned(),
        None => asked_for.unwrap_or_else(|| "warn".to_owned()),
    };
    settings.passed_on.insert("RUST_LOG".to_owned(), filter);
    settings
}

/// With sessions for all.
pub(super) async fn roomy_database() -> Result<Cluster, SystemError> {
    let mut database = Cluster::start(ClusterOptions::default()).await?;
    let (client, connection) = tokio_postgres::connect(&database.url(), NoTls).await?;
    let connection = tokio::spawn(connection);
    for statement in FOR_MANY {
        client.batch_execute(statement).await?;
    }
    drop(client);
    // The session's own error, if any, is the statement's error as well.
    let _ = connection.await;
    database.kill().await?;
    database.start_again().await?;
    Ok(database)
}

pub(super) fn free() -> Result<u16, SystemError> {
    ports::free().map_err(SystemError::file("find", "a free port"))
}
