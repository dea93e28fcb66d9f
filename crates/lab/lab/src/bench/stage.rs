//! What is measured: a worker without delay, a Postgres, and an API for each way of being without something.

use std::path::Path;
use std::time::Duration;

use holdfast_system::error::SystemError;

use super::contender::{Contender, Load};
use super::pgbench::Pgbench;
use super::wrk::Wrk;
use crate::error::LabError;
use crate::postgres::{self, Installation};
use crate::settings::Settings;
use crate::stage::AdminClient;
use crate::system::{ApiSpec, Part, System, SystemSpec, WorkerSpec};

/// Callers at once, unless a contender's name says otherwise.
pub(super) const CALLERS: u32 = 64;
/// As many sessions as pgbench's 256 clients and all APIs may want. They need no password: 256 logins with one would take
/// longer than a measurement.
pub(super) const FOR_MANY: &[&str] = &[
    "ALTER SYSTEM SET max_connections = 500",
    "DO $$ BEGIN EXECUTE format('COPY (SELECT ''host all all 127.0.0.1/32 trust'') TO %L', current_setting('hba_file')); \
     END $$",
];
/// Room for the whole measurement, and patience for a disk that syncs each record by itself.
const JOURNAL: &str = "[journal]\nmax_bytes = 8589934592\ndeadline = \"2s\"\n";
/// The worker of that API never catches up.
pub(super) const OPEN_WORK: &str = "[recovery]\nmax_open = 1000000000\n";

const HEALTHY: Part = Part::Api(0);
const OBSERVED: Part = Part::Api(1);
const UNOBSERVED: Part = Part::Api(2);
/// Without a database.
pub(super) const JOURNAL_SHARED: Part = Part::Api(3);
pub(super) const JOURNAL_ONE_EACH: Part = Part::Api(4);

/// All of it. Dropping it ends it.
pub(super) struct Stage {
    /// Worker and Postgres are there.
    pub(super) system: System,
    /// Without a worker, on a database of its own: what is owed to its clients nobody else is to catch up on.
    worker_dead: System,
}

impl Stage {
    /// Starts it in `folder`.
    pub(super) async fn start(settings: &Settings, folder: &Path) -> Result<Self, SystemError> {
        let observed = |name, filter: &str, observe: &str| ApiSpec {
            variables: vec![
                ("HOLDFAST_OBSERVE", observe.to_owned()),
                ("RUST_LOG", filter.to_owned()),
            ],
            ..ApiSpec::new(name, "")
        };
        let without = |part, name, policies: &str| ApiSpec {
            without: Some(part),
            ..ApiSpec::new(name, policies)
        };
        let one_each = format!("{JOURNAL}max_batch = 1\n");
        let apis = vec![
            ApiSpec::new("api", ""),
            // Where observers are measured, what the caller wants to see must not decide: the usual log, or none.
            observed("observed", "info", "on"),
            observed("unobserved", "off", "off"),
            without(Part::Db, "journal", JOURNAL),
            without(Part::Db, "one-each", &one_each),
        ];
        let worker_dead = vec![without(Part::Worker, "worker-dead", OPEN_WORK)];
        Ok(Self {
            system: start(apis, FOR_MANY, settings, folder).await?,
            worker_dead: start(worker_dead, &[], settings, &folder.join("dead")).await?,
        })
    }

    /// Who takes turns, in the order in which they warm up.
    pub(super) async fn contenders(&self, folder: &Path) -> Result<Vec<Contender>, LabError> {
        let http = |name, api: &AdminClient, path, callers| {
            let url = format!("{}{path}", api.base());
            Contender::new(name, Load::Http(Wrk::new(url, callers, folder)))
        };
        let process = |name, part, callers| -> Result<_, LabError> {
            Ok(http(name, self.system.client(part)?, "/process", callers))
        };
        let naive = |name, callers| -> Result<_, LabError> {
            let api = self.system.client(HEALTHY)?;
            Ok(http(name, api, "/naive/process", callers))
        };
        let program = Installation::find().await.map_err(SystemError::from)?;
        let program = program.program("pgbench");
        let database = postgres::url(self.system.port(Part::Db)?);
        let pgbench = |name, clients| -> Result<_, LabError> {
            let pgbench = Pgbench::prepare(&program, &database, clients, folder)?;
            Ok(Contender::new(name, Load::Statements(pgbench)))
        };
        super::wrk::write_pace(folder)?;
        let dead = self.worker_dead.client(HEALTHY)?;
        let mut contenders = vec![
            naive("naive", CALLERS)?,
            process("resilient", HEALTHY, CALLERS)?,
            pgbench("pgbench", CALLERS)?,
            naive("naive_256", 256)?,
            process("resilient_256", HEALTHY, 256)?,
            pgbench("pgbench_256", 256)?,
            naive("naive_1", 1)?,
            process("resilient_1", HEALTHY, 1)?,
            process("observers_on", OBSERVED, CALLERS)?,
            process("observers_off", UNOBSERVED, CALLERS)?,
            process("journal_only", JOURNAL_SHARED, CALLERS)?,
            process("journal_one_each", JOURNAL_ONE_EACH, CALLERS)?,
            http("worker_dead", dead, "/process", CALLERS),
        ];
        let mut half = http("worker_dead_half", dead, "/process", CALLERS);
        half.half_of = Some(contenders.len() - 1);
        contenders.push(half);
        Ok(contenders)
    }

    /// That the worker and Postgres did not fail where they were to be well: a degraded answer is a 2xx to wrk, and the API
    /// knows better.
    pub(super) async fn nothing_failed(&self) -> Result<(), LabError> {
        for api in [HEALTHY, OBSERVED, UNOBSERVED] {
            let dependencies = self.system.client(api)?.status().await?.dependencies;
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

/// Starts these APIs before a worker that takes no time.
pub(super) async fn start(
    apis: Vec<ApiSpec>,
    tuning: &'static [&'static str],
    settings: &Settings,
    folder: &Path,
) -> Result<System, SystemError> {
    let spec = SystemSpec {
        tuning,
        ..SystemSpec::new(WorkerSpec::new(Duration::ZERO), apis)
    };
    start_spec(&spec, settings, folder).await
}

/// Starts a system in a folder that is made. There is no line per request unless the caller asks for it.
pub(super) async fn start_spec(
    spec: &SystemSpec,
    settings: &Settings,
    folder: &Path,
) -> Result<System, SystemError> {
    std::fs::create_dir_all(folder).map_err(SystemError::file("make", folder))?;
    let mut settings = settings.clone();
    let filter = settings.passed_on.entry("RUST_LOG".to_owned());
    filter.or_insert_with(|| "warn".to_owned());
    System::start_in(folder, spec, &settings).await
}
