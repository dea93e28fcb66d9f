//! What is measured: a worker without delay, a Postgres, and an API for each way of being without something.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::contender::{Contender, Load};
use super::pgbench::Pgbench;
use super::wrk::Wrk;
use crate::error::LabError;
use crate::postgres::{self, Installation};
use crate::settings::Settings;
use crate::stage::Probe;
use crate::system::{ApiSpec, Part, System, SystemSpec, WorkerSpec};

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
const OPEN_WORK: &str = "[recovery]\nmax_open = 1000000000\n";

/// The APIs, by their place in the first system; the first has worker and Postgres.
const HEALTHY: usize = 0;
const OBSERVED: usize = 1;
const UNOBSERVED: usize = 2;
/// Without a database.
pub(super) const JOURNAL_SHARED: usize = 3;
pub(super) const JOURNAL_ONE_EACH: usize = 4;

/// All of it. Dropping it ends it.
pub(super) struct Stage {
    with_worker: System,
    /// With a database of its own, which holds what is owed to its clients: nobody else is to catch up on that.
    worker_dead: System,
}

impl Stage {
    /// Starts it in `folder`.
    ///
    /// # Errors
    /// When a part does not start.
    pub(super) async fn start(settings: &Settings, folder: &Path) -> Result<Self, LabError> {
        let specs = [with_worker(settings), worker_dead(settings)];
        let [with_worker, worker_dead] = &specs;
        Ok(Self {
            with_worker: System::start_in(folder, with_worker, settings).await?,
            worker_dead: System::start_in(folder, worker_dead, settings).await?,
        })
    }

    /// One of those that have a worker.
    pub(super) fn api(&self, index: usize) -> Result<&Probe, LabError> {
        self.with_worker.probe(Part::Api(index))
    }

    /// Who takes turns, in the order in which they warm up.
    ///
    /// # Errors
    /// When a script cannot be written.
    pub(super) async fn contenders(&self, folder: &Path) -> Result<Vec<Contender>, LabError> {
        let http = |name, api: &Probe, path, callers| {
            let url = format!("{}{path}", api.base());
            Contender::new(name, Load::Http(Wrk::new(url, callers, folder)))
        };
        let healthy = self.api(HEALTHY)?;
        let dead = self.worker_dead.probe(Part::Api(0))?;
        let process = |name, api, callers| http(name, api, "/process", callers);
        let naive = |name, callers| http(name, healthy, "/naive/process", callers);
        let program = Installation::find().await?.program("pgbench");
        let url = postgres::url(self.with_worker.port(Part::Db)?);
        let pgbench = |name, clients| -> Result<_, LabError> {
            let of = (program.clone(), url.clone());
            let pgbench = Pgbench::prepare(of, clients, folder)?;
            Ok(Contender::new(name, Load::Statements(pgbench)))
        };
        super::wrk::write_pace(folder)?;
        let mut contenders = vec![
            naive("naive", CALLERS),
            process("resilient", healthy, CALLERS),
            pgbench("pgbench", CALLERS)?,
            naive("naive_256", 256),
            process("resilient_256", healthy, 256),
            pgbench("pgbench_256", 256)?,
            naive("naive_1", 1),
            process("resilient_1", healthy, 1),
            process("observers_on", self.api(OBSERVED)?, CALLERS),
            process("observers_off", self.api(UNOBSERVED)?, CALLERS),
            process("journal_only", self.api(JOURNAL_SHARED)?, CALLERS),
            process("journal_one_each", self.api(JOURNAL_ONE_EACH)?, CALLERS),
            process("worker_dead", dead, CALLERS),
        ];
        let mut half = process("worker_dead_half", dead, CALLERS);
        half.half_of = Some(contenders.len() - 1);
        contenders.push(half);
        Ok(contenders)
    }

    /// A degraded answer is a 2xx to wrk; the API knows better.
    ///
    /// # Errors
    /// When the worker or Postgres failed where they were to be well.
    pub(super) async fn nothing_failed(&self) -> Result<(), LabError> {
        for api in [HEALTHY, OBSERVED, UNOBSERVED] {
            let dependencies = self.api(api)?.status().await?.dependencies;
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

fn with_worker(settings: &Settings) -> SystemSpec {
    let shared = format!("[journal]\n{JOURNAL}");
    let one_each = format!("{shared}max_batch = 1\n");
    let without_database = |name, policies| ApiSpec {
        database: false,
        ..ApiSpec::new(name, policies)
    };
    SystemSpec {
        postgres: &FOR_MANY,
        worker: Some(WorkerSpec::new(Duration::ZERO)),
        apis: vec![
            ApiSpec::new("api", ""),
            observed("observed", "on", "info"),
            observed("unobserved", "off", "off"),
            without_database("journal", shared),
            without_database("one-each", one_each),
        ],
        variables: quiet(settings),
        ..SystemSpec::default()
    }
}

/// One API, with all it needs.
pub(super) fn alone(settings: &Settings) -> SystemSpec {
    SystemSpec {
        worker: Some(WorkerSpec::new(Duration::ZERO)),
        apis: vec![ApiSpec::new("api", "")],
        variables: quiet(settings),
        ..SystemSpec::default()
    }
}

fn worker_dead(settings: &Settings) -> SystemSpec {
    SystemSpec {
        apis: vec![ApiSpec::new("worker-dead", OPEN_WORK)],
        variables: quiet(settings),
        ..SystemSpec::default()
    }
}

/// Where observers are measured, what the caller wants to see must not decide: the usual log, or none.
fn observed(name: &str, observe: &str, filter: &str) -> ApiSpec {
    ApiSpec {
        variables: vec![
            ("HOLDFAST_OBSERVE", observe.to_owned()),
            ("RUST_LOG", filter.to_owned()),
        ],
        ..ApiSpec::new(name, "")
    }
}

/// No line per request unless the caller asks for it.
fn quiet(settings: &Settings) -> BTreeMap<String, String> {
    let quiet = ("RUST_LOG".to_owned(), "warn".to_owned());
    BTreeMap::from([settings.log_filter().unwrap_or(quiet)])
}
