//! How cost grows: accepted calls a second against replicas, connections, workers, open requests and done rows, each step as
//! its ratio to the first; and how three replicas share a backlog. Each has a system of its own.
//!
//! All of it on one machine: replicas take each other's time, so what is seen there is what they cost each other in Postgres,
//! and not what machines of their own would bring.

mod backlog;
mod rows;

use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use clap::Args;
use futures_util::future::try_join_all;
use holdfast_system::error::SystemError;

use super::stage::{FOR_MANY, OPEN_WORK, start_spec};
use super::wrk::Wrk;
use crate::alone::alone;
use crate::error::LabError;
use crate::output::Console;
use crate::settings::Settings;
use crate::system::{ApiSpec, System, SystemSpec, WorkerSpec};

const CALLERS: u32 = 64;
/// A worker of the second row: so many works at once, each of so many milliseconds.
const CAPACITY: u32 = 4;
const DELAY_MS: u32 = 20;
/// A limit that adapts would refuse the second of two callers for each place, who is there so that no place is ever empty.
const PATIENT: &str = "[worker.bulkhead]\nadaptive = { tolerance = 10.0 }\n";

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Plan {
    /// How long each measurement takes
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Open requests and done rows at most: ten times as many with each step
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1_000..=10_000_000))]
    most_rows: u32,
}

/// All that the measurements need.
struct Bench<'a> {
    plan: Plan,
    settings: &'a Settings,
    folder: &'a Path,
    console: Console,
}

/// Measures how cost grows and prints it; the figures are void if any call failed.
pub(crate) async fn run(plan: Plan, settings: &Settings, console: Console) -> Result<(), LabError> {
    let measured = alone("scale", Some("wrk"), settings, console, async |folder| {
        let bench = Bench {
            plan,
            settings,
            folder,
            console,
        };
        bench.all().await?;
        Ok(true)
    });
    measured.await.map(drop)
}

impl Bench<'_> {
    async fn all(&self) -> Result<(), LabError> {
        self.replicas().await?;
        self.connections().await?;
        self.workers().await?;
        self.open_requests().await?;
        self.done_rows().await?;
        self.shares().await
    }

    async fn replicas(&self) -> Result<(), LabError> {
        let mut rates = Vec::new();
        for count in 1..=3_u32 {
            let name = format!("replicas-{count}");
            let system = self.start(&name, |spec| {
                spec.apis = replicas(count);
            });
            rates.push((count, self.rate(&system.await?, CALLERS).await?));
        }
        self.row("API replicas", &rates);
        Ok(())
    }

    async fn connections(&self) -> Result<(), LabError> {
        let system = self.start("connections", |_| {}).await?;
        let mut rates = Vec::new();
        for callers in [1, 16, 64, 256] {
            rates.push((callers, self.rate(&system, callers).await?));
        }
        self.row("connections", &rates);
        Ok(())
    }

    async fn workers(&self) -> Result<(), LabError> {
        let mut rates = Vec::new();
        for count in 1..=3_u32 {
            let name = format!("workers-{count}");
            let system = self.start(&name, |spec| {
                spec.workers = NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
                spec.worker.delay = Duration::from_millis(DELAY_MS.into());
                spec.worker.capacity = NonZeroU32::new(CAPACITY);
                spec.apis = vec![ApiSpec::new("api", PATIENT)];
            });
            let rate = self.rate(&system.await?, 2 * CAPACITY * count).await?;
            rates.push((count, rate));
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
    async fn rate(&self, system: &System, callers: u32) -> Result<f64, LabError> {
        let apis = system.apis();
        let each = callers.div_ceil(u32::try_from(apis.len()).unwrap_or(1));
        let mut sum = 0.0;
        for seconds in [1, self.plan.seconds] {
            let loads = apis.iter().map(|api| {
                let url = format!("{}/process", api.base());
                let load = Wrk::new(url, each, self.folder);
                async move { load.run(seconds, None).await }
            });
            let figures = try_join_all(loads).await?;
            sum = figures.iter().map(|it| it.per_second).sum();
        }
        Ok(sum)
    }

    /// One API before a worker that takes no time, with room for all sessions, but for what `change` makes of it.
    async fn start(
        &self,
        name: &str,
        change: impl FnOnce(&mut SystemSpec),
    ) -> Result<System, SystemError> {
        let mut spec = SystemSpec::new(WorkerSpec::new(Duration::ZERO), replicas(1));
        spec.tuning = FOR_MANY;
        change(&mut spec);
        start_spec(&spec, self.settings, &self.folder.join(name)).await
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

fn replicas(count: u32) -> Vec<ApiSpec> {
    let names = (1..=count).map(|number| format!("replica-{number}"));
    names.map(|name| ApiSpec::new(name, "")).collect()
}
