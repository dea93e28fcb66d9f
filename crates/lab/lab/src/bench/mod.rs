//! Throughput and latency of both endpoints beside pgbench's same two statements, with few callers and many, with the worker
//! or Postgres dead, and with nobody observing.
//!
//! The worker takes no time, so what is measured is the API and Postgres. In each round all contenders take turns, another
//! one first each time, so that a disturbance of the machine and what one leaves behind for the next hit all alike. A ratio
//! is taken within a round; the median over the rounds counts, with its 95 % interval. Any error voids the measurement: an
//! endpoint that answers failures quickly is not fast.

mod contender;
mod pgbench;
mod ratio;
mod report;
mod retention;
mod scale;
mod stage;
mod wrk;

use std::path::Path;

use clap::Args;

use self::contender::Contender;
pub(crate) use self::scale::{Plan as ScalePlan, run as scale};
use self::stage::Stage;
use crate::alone::alone;
use crate::error::LabError;
use crate::output::Console;
use crate::settings::Settings;

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Plan {
    /// How often each is measured; the medians count
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How long each measurement takes
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Measure something else instead: how fast old rows are deleted, and what that costs live calls
    #[arg(long)]
    retention: bool,
}

/// Measures and prints a table and the ratios; the figures are void if any call failed.
pub(crate) async fn run(plan: Plan, settings: &Settings, console: Console) -> Result<(), LabError> {
    let measured = alone("bench", Some("wrk"), settings, console, async |folder| {
        match plan.retention {
            true => retention::run(plan, settings, folder, console).await?,
            false => on_stage(plan, settings, folder, console).await?,
        }
        Ok(true)
    });
    measured.await.map(drop)
}

async fn on_stage(
    plan: Plan,
    settings: &Settings,
    folder: &Path,
    console: Console,
) -> Result<(), LabError> {
    console.say("starting two databases, a worker and six APIs");
    let stage = Stage::start(settings, folder).await?;
    let mut contenders = stage.contenders(folder).await?;
    measure(&mut contenders, &stage, plan, console).await?;
    report::print(&contenders, &stage, console).await
}

/// One round more than asked for, the first to warm up: connections, prepared statements, caches.
async fn measure(
    contenders: &mut [Contender],
    stage: &Stage,
    plan: Plan,
    console: Console,
) -> Result<(), LabError> {
    let mut last_rates = vec![f64::NAN; contenders.len()];
    for round in 0..=plan.rounds {
        let seconds = if round == 0 { 1 } else { plan.seconds };
        for turn in order(round, contenders.len()) {
            let full = contenders[turn].half_of.map(|index| last_rates[index]);
            let contender = &mut contenders[turn];
            let figures = contender.load.run(round, seconds, full).await?;
            last_rates[turn] = figures.per_second;
            if round > 0 {
                console.say(format_args!(
                    "  round {round:<3} {:<18}{figures}",
                    contender.name
                ));
                contender.measured.push(figures);
            }
        }
        stage.nothing_failed().await?;
    }
    Ok(())
}

/// Who comes after whom in this round. The warm-up keeps to the list: half a rate needs the whole one before it.
fn order(round: u32, contenders: usize) -> impl Iterator<Item = usize> {
    (0..contenders).map(move |turn| (turn + round as usize) % contenders)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_contender_comes_first_as_often_as_the_others() {
        let first = |round| order(round, 3).next();
        assert_eq!(
            [first(0), first(1), first(2), first(3)],
            [0, 1, 2, 0].map(Some)
        );
        assert_eq!(order(1, 3).collect::<Vec<_>>(), [1, 2, 0]);
    }
}
