//! Throughput and latency of both endpoints, beside pgbench with the same two statements, on a stage of its own; then of
//! the resilient one with and without observers (`observers`) and without a database (`journal`).
//!
//! The worker takes no time, so what is measured is the API and Postgres. In each round the three take turns, another one
//! first each time, so that a disturbance of the machine and what one leaves behind for the next hit all alike. A ratio
//! is taken within a round; the median over the rounds counts, with its 95 % interval. Any error voids the measurement: an
//! endpoint that answers failures quickly is not fast.

mod contender;
mod journal;
mod observers;
mod pgbench;
mod ratio;
mod wrk;

use std::collections::BTreeMap;

use holdfast_ops::signals::StopSignals;

use self::ratio::Ratio;
use crate::error::LabError;
use crate::figures::{Figures, median};
use crate::guard::{Guard, Guarded};
use crate::output::{Console, Tone};
use crate::own_folder::OwnFolder;
use crate::ports;
use crate::postgres::Installation;
use crate::settings::{Ports, Settings};
use crate::stage::{Local, Probe};

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Measurements of each contender.
    pub rounds: u32,
    /// Seconds of each measurement.
    pub seconds: u32,
}

/// What takes turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Contender {
    Naive,
    Resilient,
    Pgbench,
}

/// One measurement of each.
type Round = BTreeMap<Contender, Figures>;

impl Contender {
    const ALL: [Self; 3] = [Self::Naive, Self::Resilient, Self::Pgbench];

    /// Who comes after whom in this round.
    fn order(round: u32) -> [Self; 3] {
        let mut order = Self::ALL;
        order.rotate_left(round as usize % Self::ALL.len());
        order
    }

    fn name(self) -> &'static str {
        match self {
            Self::Naive => "naive",
            Self::Resilient => "resilient",
            Self::Pgbench => "pgbench",
        }
    }
}

/// Measures, prints a table and the ratios, and takes its stage down, also when interrupted.
///
/// # Errors
/// When the stage cannot be had, or any call failed: then the figures are void.
pub async fn run(plan: Plan, settings: &Settings, console: Console) -> Result<(), LabError> {
    let mut signals = StopSignals::listen().map_err(LabError::file("listen for", "signals"))?;
    wrk::ensure(settings, console).await?;
    let _guard = Guard::post(Guarded::Processes)?;
    let folder = OwnFolder::make("bench", settings, console).await?;
    let settings = own_stage(settings)?;
    let stage = Local::new(&settings, folder.path().to_owned(), console);
    if let Err(error) = stage.up().await {
        return Err(folder.left_by(error));
    }
    let result = tokio::select! {
        result = on_stage(plan, &settings, folder.path(), console) => result,
        _ = signals.next() => Err(LabError::Interrupted),
    };
    stage.down().await?;
    result?;
    tokio::select! {
        result = journal::run(plan.rounds, plan.seconds, &settings, folder.path(), console) => result,
        _ = signals.next() => Err(LabError::Interrupted),
    }
}

/// All that needs the stage.
async fn on_stage(
    plan: Plan,
    settings: &Settings,
    folder: &std::path::Path,
    console: Console,
) -> Result<(), LabError> {
    let measured = measure(plan, settings.ports, folder, console).await?;
    print(&measured, console);
    observers::run(plan.rounds, plan.seconds, settings, folder, console).await
}

/// Ports that nobody uses, a worker without delay, and no line in the log per request unless asked for.
fn own_stage(settings: &Settings) -> Result<Settings, LabError> {
    let free = || ports::free().map_err(LabError::file("find", "a free port"));
    let mut own = Settings {
        ports: Ports {
            api: free()?,
            worker: free()?,
            db: free()?,
        },
        ..settings.clone()
    };
    own.passed_on
        .insert("HOLDFAST_WORK_DELAY".to_owned(), "0s".to_owned());
    own.passed_on
        .entry("RUST_LOG".to_owned())
        .or_insert_with(|| "warn".to_owned());
    Ok(own)
}

async fn measure(
    plan: Plan,
    ports: Ports,
    folder: &std::path::Path,
    console: Console,
) -> Result<Vec<Round>, LabError> {
    let probe = Probe::new(ports.api);
    let pgbench = pgbench::Pgbench::prepare(
        &Installation::find().await?,
        ports.db,
        pool_size(&probe).await?,
        folder,
    )?;
    let mut measured = Vec::new();
    for round in 0..=plan.rounds {
        // The first round warms up: connections, prepared statements, caches.
        let seconds = if round == 0 { 1 } else { plan.seconds };
        let mut figures_of = Round::new();
        for contender in Contender::order(round) {
            let figures = match contender {
                Contender::Naive => {
                    wrk::run(&format!("{}/naive/process", probe.base()), seconds).await?
                }
                Contender::Resilient => {
                    wrk::run(&format!("{}/process", probe.base()), seconds).await?
                }
                Contender::Pgbench => pgbench.run(round, seconds).await?,
            };
            if round > 0 {
                console.say(format_args!(
                    "  round {round}  {:<10}{figures}",
                    contender.name()
                ));
                figures_of.insert(contender, figures);
            }
        }
        nothing_failed(&probe).await?;
        if round > 0 {
            measured.push(figures_of);
        }
    }
    Ok(measured)
}

/// A degraded answer is a 2xx to wrk; the API knows better.
async fn nothing_failed(probe: &Probe) -> Result<(), LabError> {
    let dependencies = probe.status().await?.dependencies;
    for (name, dependency) in [
        ("worker", dependencies.worker.dependency),
        ("database", dependencies.database.dependency),
    ] {
        if let Some(reason) = dependency.last_error {
            let problem = format!("void: the {name} failed during the measurement ({reason})");
            return Err(LabError::Measurement(problem));
        }
    }
    Ok(())
}

/// As many connections as either endpoint has.
async fn pool_size(probe: &Probe) -> Result<u64, LabError> {
    let policies = probe.policies().await?.policies;
    let size = policies
        .get("database")
        .and_then(|database| database.pointer("/pool/max_size")?.as_u64());
    size.ok_or_else(|| LabError::Api {
        url: format!("{}/policies", probe.base()),
        problem: "it names no database.pool.max_size".to_owned(),
    })
}

fn print(measured: &[Round], console: Console) {
    let over_rounds = |value: &dyn Fn(&Round) -> f64| median(measured.iter().map(value).collect());
    let of =
        |contender, value: fn(&Figures) -> f64| over_rounds(&|round| value(&round[&contender]));
    console.print(console.paint(
        Tone::Strong,
        format_args!(
            "\n{:<12}{:>12}{:>10}{:>10}",
            "median", "requests/s", "p50 ms", "p99 ms"
        ),
    ));
    for contender in Contender::ALL {
        let rate = of(contender, |it| it.per_second);
        let (p50, p99) = (of(contender, |it| it.p50_ms), of(contender, |it| it.p99_ms));
        console.print(format_args!(
            "{:<12}{rate:>12.0}{p50:>10.1}{p99:>10.1}",
            contender.name()
        ));
    }
    console.print("");
    for other in [Contender::Naive, Contender::Pgbench] {
        let rate = |round: &Round, who| round[&who].per_second;
        let of_round = |round| rate(round, Contender::Resilient) / rate(round, other);
        let ratio = Ratio::over(&measured.iter().map(of_round).collect::<Vec<_>>());
        console.print(format_args!("ratio resilient/{} {ratio}", other.name()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_contender_comes_first_as_often_as_the_others() {
        let first = |round| Contender::order(round)[0];
        assert_eq!(
            [first(0), first(1), first(2), first(3)],
            [
                Contender::Naive,
                Contender::Resilient,
                Contender::Pgbench,
                Contender::Naive
            ]
        );
    }
}
