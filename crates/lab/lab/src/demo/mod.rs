//! The guided tour: break each dependency in turn, compare, heal, and see what became of every request.

mod expected;
mod fate;
mod narrator;
mod summary;

use std::time::Duration;

use holdfast_ops::signals::StopSignals;
use holdfast_system::error::SystemError;
use holdfast_wire::Breaker;
use tokio::time::{Instant, sleep};

use expected::{ACCEPTED, Expected, JOURNALLED, WHOLE};
use narrator::Narrator;

use crate::compare::{self, Comparison};
use crate::guard::Guard;
use crate::output::{Console, Tone};
use crate::settings::{Settings, StageKind};
use crate::settle::settle;
use crate::stage::{AdminClient, Service, Stage};

const POLL: Duration = Duration::from_millis(250);
/// The longest time a breaker of the default policies stays open, and one call.
const HEALED_WITHIN: Duration = Duration::from_secs(45);
/// A lease that ran out, the journal replayed, the work done: each takes seconds.
const DONE_WITHIN: Duration = Duration::from_secs(120);

/// What is done to the stage before both sides are called.
enum Before {
    Nothing,
    Kill(Service),
    Start(Service),
}

/// One leg of the tour, as planned.
struct Leg {
    before: Before,
    title: &'static str,
    /// Within 78 columns a line.
    told: &'static str,
    expected: Expected,
}

const LEGS: &[Leg] = &[
    Leg {
        before: Before::Nothing,
        title: "everything works",
        told: "Both endpoints do the same: store the request, have the worker work for two\n\
               seconds, store the result.",
        expected: WHOLE,
    },
    Leg {
        before: Before::Kill(Service::Worker),
        title: "the worker is killed",
        told: "Its port refuses. Naive can only fail. Resilient has the request in Postgres,\n\
               and so it can promise: 202, it will be done.",
        expected: ACCEPTED,
    },
    Leg {
        before: Before::Start(Service::Worker),
        title: "it is back",
        told: "The breaker lets a call through to test it, and closes. What was promised is\n\
               done meanwhile, by itself.",
        expected: WHOLE,
    },
    Leg {
        before: Before::Kill(Service::Db),
        title: "the database is killed",
        told: "Naive fails before it has asked the worker. Resilient has the work done, and\n\
               writes the result into a journal on its own disk: 200.",
        expected: JOURNALLED,
    },
    Leg {
        before: Before::Start(Service::Db),
        title: "it is back",
        told: "Postgres gets from the journal what it missed.",
        expected: WHOLE,
    },
];

/// One stop of the tour, and what was seen there.
struct Stop {
    leg: &'static Leg,
    seen: Comparison,
}

impl Stop {
    fn held(&self) -> bool {
        let side = &self.seen.resilient;
        side.verdict.held
            && self
                .leg
                .expected
                .is(side.status(), side.processed().as_ref())
    }
}

/// Runs the tour on a stage of its own, on local processes unless `STAGE` says otherwise, and takes it down again,
/// also when interrupted; with `step`, each stop waits for a key. Whether the resilient side held at every stop, with the answer
/// that belongs there.
pub(crate) async fn run(
    step: bool,
    settings: &Settings,
    console: Console,
) -> Result<bool, SystemError> {
    if let Some(stage) = Stage::found_up(settings, console).await? {
        return Err(SystemError::StageInTheWay(stage.name()));
    }
    let kind = settings.stage.unwrap_or(StageKind::Local);
    let settings = Settings {
        stage: Some(kind),
        ..settings.clone()
    };
    // The tour ends with `down`: what somebody's dead stage still owes is not its to delete.
    let own = Stage::chosen_to_bring_up(&settings, console).await?;
    if own.holds_data().await? {
        return Err(SystemError::StageInTheWay(own.name()));
    }
    compare::ensure_curl(&settings).await?;
    let mut signals = StopSignals::listen().map_err(SystemError::file("listen for", "signals"))?;
    let stage = Stage::to_bring_up(&settings, console).await?;
    let guard = Guard::of_stage(kind)?;
    let result = tokio::select! {
        result = tour(&stage, step, console) => result,
        _ = signals.next() => Err(SystemError::Interrupted),
    };
    console.say("");
    console.say("taking the stage down");
    let narrator = Narrator::new(step, console);
    if let Err(error) = narrator.meanwhile("stopping", stage.down()).await {
        guard.leave_the_rest();
        return Err(error);
    }
    let (stops, nothing_lost) = result?;
    summary::print(&stops, nothing_lost, console);
    Ok(nothing_lost && stops.iter().all(Stop::held))
}

/// The stops, and whether every promise made at them was kept.
async fn tour(
    stage: &Stage,
    step: bool,
    console: Console,
) -> Result<(Vec<Stop>, bool), SystemError> {
    let narrator = Narrator::new(step, console);
    narrator.meanwhile("starting", stage.up()).await?;
    let probe = AdminClient::new(stage.api_port().await?);
    let mut stops = Vec::new();
    for leg in LEGS {
        narrator.begin(leg.title, leg.told).await;
        match leg.before {
            Before::Nothing => {}
            Before::Kill(service) => stage.kill(service).await?,
            Before::Start(service) => {
                stage.start(service).await?;
                let healed = healed(&probe);
                narrator
                    .meanwhile("until the breaker closes", healed)
                    .await?;
            }
        }
        let comparing = compare::compare(&probe);
        let seen = narrator.meanwhile("both are called", comparing).await?;
        seen.print(console);
        let stop = Stop { leg, seen };
        if !stop.held() {
            let expected = leg.expected.in_words;
            let problem = format_args!("  here the resilient side must give {expected}");
            console.print(console.paint(Tone::Bad, problem));
        }
        stops.push(stop);
    }
    console.say("\nwaiting until all that was accepted is done");
    // What is left after that shows in the fates.
    settle(std::slice::from_ref(&probe), DONE_WITHIN, console).await;
    let nothing_lost = fate::show(&stops, &probe, console).await?;
    Ok((stops, nothing_lost))
}

/// Calls until both breakers are closed again: an open one lets a probe through only when somebody calls.
async fn healed(probe: &AdminClient) -> Result<(), SystemError> {
    let deadline = Instant::now() + HEALED_WITHIN;
    loop {
        let dependencies = probe.status().await?.dependencies;
        let closed = |breaker| breaker == Breaker::Closed;
        if closed(dependencies.worker.breaker) && closed(dependencies.database.breaker) {
            return Ok(());
        }
        if Instant::now() > deadline {
            let problem = "a breaker stays open although its dependency is back".to_owned();
            return Err(SystemError::Api {
                url: format!("{}/status", probe.base()),
                problem,
            });
        }
        let waits = [
            dependencies.worker.retry_after_seconds,
            dependencies.database.retry_after_seconds,
        ];
        let wait = waits.into_iter().flatten().fold(0.0, f64::max);
        sleep(Duration::try_from_secs_f64(wait).unwrap_or(POLL).max(POLL)).await;
        probe.process().await;
    }
}
