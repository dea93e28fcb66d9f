//! How cost grows: accepted calls a second against replicas, connections, workers, open requests and done rows, each step as
//! its ratio to the first; and how three replicas share a backlog.
//!
//! All of it on one machine: replicas take each other's time, so what is seen there is what they cost each other in Postgres,
//! and not what machines of their own would bring.

mod backlog;
mod rows;

use std::num::NonZeroU32;
use std::time::Duration;

use futures_util::future::try_join_all;

use super::stage::{Apis, OPEN_WORK, free, logging, roomy_database};
use super::wrk::Wrk;
use crate::error::LabError;
use crate::output::Console;
use crate::own_folder::OwnFolder;
use crate::postgres::Cluster;
use crate::settings::Settings;
use crate::stage::ServiceProcess;
use crate::system::{Reached, Site, WorkerSpec};

const CALLERS: u32 = 64;
/// A worker of the second row: so many works at once, each of so many milliseconds.
const CAPACITY: u32 = 4;
const DELAY_MS: u32 = 20;
/// A limit that adapts would refuse the second of two callers for each place, who is there so that no place is ever empty.
const PATIENT: &str = "[worker.bulkhead]\nadaptive = { tolerance = 10.0 }\n";

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Seconds of each measurement.
    pub seconds: u32,
    /// Done rows and open requests at most; each step has ten times as many as the one before.
    pub most_rows: u32,
}

/// All that the measurements need.
struct Bench<'a> {
    plan: Plan,
    settings: &'a Settings,
    folder: &'a OwnFolder,
    console: Console,
}

pub(super) async fn measure(
    plan: Plan,
    settings: &Settings,
    mut folder: OwnFolder,
    console: Console,
) -> Result<(), LabError> {
    let bench = Bench {
        plan,
        settings,
        folder: &folder,
        console,
    };
    let measured = bench.all().await;
    match measured {
        Err(LabError::System(error)) => Err(folder.left_by(error).into()),
        Err(error) => {
            folder.keep();
            let folder = folder.path().display();
            console.say(format_args!("  logs are in {folder}"));
            Err(error)
        }
        Ok(()) => Ok(()),
    }
}

impl Bench<'_> {
    async fn all(&self) -> Result<(), LabError> {
        let database = roomy_database().await?;
        let worker = self.worker("worker", 0, None).await?;
        let url = worker.probe().base().to_owned();
        self.replicas(&url, &database).await?;
        self.connections(&url, &database).await?;
        self.workers(&database).await?;
        self.open_requests().await?;
        self.done_rows(&url, &database).await?;
        self.shares(&database).await
    }

    async fn replicas(&self, worker: &str, database: &Cluster) -> Result<(), LabError> {
        let mut apis = Vec::new();
        let mut rates = Vec::new();
        for count in 1..=3_u32 {
            apis.push(self.api("replica", count, worker, database, "").await?);
            rates.push((count, self.rate(&apis, CALLERS).await?));
        }
        self.row("API replicas", &rates);
        Ok(())
    }

    async fn connections(&self, worker: &str, database: &Cluster) -> Result<(), LabError> {
        let apis = [self.api("connections", 1, worker, database, "").await?];
        let mut rates = Vec::new();
        for callers in [1, 16, 64, 256] {
            rates.push((callers, self.rate(&apis, callers).await?));
        }
        self.row("connections", &rates);
        Ok(())
    }

    async fn workers(&self, database: &Cluster) -> Result<(), LabError> {
        let (mut workers, mut rates) = (Vec::new(), Vec::new());
        for count in 1..=3_u32 {
            let name = format!("limited-{count}");
            let capacity = NonZeroU32::new(CAPACITY);
            workers.push(self.worker(&name, DELAY_MS, capacity).await?);
            let urls: Vec<_> = workers.iter().map(|it| it.probe().base()).collect();
            let urls = urls.join(",");
            let apis = [self.api("workers", count, &urls, database, PATIENT).await?];
            rates.push((count, self.rate(&apis, 2 * CAPACITY * count).await?));
        }
        let sum = f64::from(CAPACITY * 1_000 / DELAY_MS);
        self.row(&format!("workers of {sum}/s"), &rates);
        for (count, rate) in rates {
            let share = rate / (sum * f64::from(count));
            self.console.print(format_args!(
                "    {count}: {share:.3} of the sum of their capacities"
            ));
        }
        Ok(())
    }

    /// All replicas together, after a second of warming up.
    async fn rate(&self, apis: &[ServiceProcess], callers: u32) -> Result<f64, LabError> {
        let each = callers.div_ceil(u32::try_from(apis.len()).unwrap_or(1));
        let mut sum = 0.0;
        for seconds in [1, self.plan.seconds] {
            let loads = apis.iter().map(|api| {
                let url = format!("{}/process", api.probe().base());
                let load = Wrk::new(url, each, self.folder.path());
                async move { load.run(seconds, None).await }
            });
            let figures = try_join_all(loads).await?;
            sum = figures.iter().map(|it| it.per_second).sum();
        }
        Ok(sum)
    }

    async fn api(
        &self,
        name: &str,
        number: u32,
        worker: &str,
        database: &Cluster,
        policies: &str,
    ) -> Result<ServiceProcess, LabError> {
        let apis = Apis {
            settings: self.settings,
            folder: self.folder.path(),
        };
        let name = format!("{name}-{number}");
        let reached = Reached {
            worker: worker.to_owned(),
            database: database.api_url(),
        };
        Ok(apis.start(&name, &reached, policies, None).await?)
    }

    /// Of so many works at once; none: as many as arrive.
    async fn worker(
        &self,
        name: &str,
        milliseconds: u32,
        capacity: Option<NonZeroU32>,
    ) -> Result<ServiceProcess, LabError> {
        let (folder, settings) = (self.folder.path(), &logging(self.settings, None));
        let delay = Duration::from_millis(milliseconds.into());
        let worker = WorkerSpec {
            capacity,
            ..WorkerSpec::new(delay)
        };
        Ok(Site { folder, settings }.worker(name, worker).await?)
    }

    /// One dimension, with each step's ratio to the first.
    fn row(&self, what: &str, rates: &[(u32, f64)]) {
        let first = rates.first().map_or(f64::NAN, |(_, rate)| *rate);
        self.console.print(format_args!("  {what}"));
        for (step, rate) in rates {
            let ratio = rate / first;
            self.console
                .print(format_args!("    {step:>8}: {rate:>8.0}/s  {ratio:.2}"));
        }
    }
}
