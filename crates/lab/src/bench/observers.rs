//! What it costs to be seen: two APIs of the same build before the same worker and Postgres, one with its log, its spans
//! and its metrics, one with none of them.
//!
//! In turns, another one first each round; the ratio is taken within a round.

use std::collections::BTreeMap;
use std::path::Path;

use super::wrk;
use crate::error::LabError;
use crate::figures::{Figures, median};
use crate::output::{Console, Tone};
use crate::settings::Settings;
use crate::stage::{Probe, Service, ServiceProcess};

/// An API, and what it was measured to do.
struct Contender {
    name: &'static str,
    process: ServiceProcess,
    measured: Vec<Figures>,
}

/// Measures both before the worker and the database of the stage that is up, and prints the ratio.
pub(super) async fn run(
    rounds: u32,
    seconds: u32,
    settings: &Settings,
    folder: &Path,
    console: Console,
) -> Result<(), LabError> {
    console.say("  with observers and without");
    let mut contenders = [
        contender("on", "info", settings, folder).await?,
        contender("off", "off", settings, folder).await?,
    ];
    for round in 0..=rounds {
        contenders.rotate_left(1);
        for contender in &mut contenders {
            let url = format!("{}/process", contender.process.probe().base());
            // The first round warms up: connections, prepared statements.
            let figures = wrk::run(&url, if round == 0 { 1 } else { seconds }).await?;
            if round > 0 {
                let name = contender.name;
                console.say(format_args!(
                    "  round {round}  observers {name:<4}{figures}"
                ));
                contender.measured.push(figures);
            }
            super::nothing_failed(contender.process.probe()).await?;
        }
    }
    contenders.sort_by_key(|contender| contender.name == "off");
    print(&contenders, console);
    Ok(())
}

async fn contender(
    name: &'static str,
    log: &str,
    settings: &Settings,
    folder: &Path,
) -> Result<Contender, LabError> {
    let home = format!("bench-observers-{name}");
    // What a caller wants to see of the benchmark must not decide what is measured.
    let mut settings = settings.clone();
    settings
        .passed_on
        .insert("RUST_LOG".to_owned(), log.to_owned());
    let worker = Probe::new(settings.ports.worker);
    let variables: BTreeMap<String, String> = [
        ("HOLDFAST_WORKER_URL", worker.base().to_owned()),
        ("DATABASE_URL", crate::postgres::url(settings.ports.db)),
        ("HOLDFAST_JOURNAL_DIR", "journal".to_owned()),
        ("HOLDFAST_OBSERVE", name.to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    let home = (folder, home.as_str());
    Ok(Contender {
        name,
        process: ServiceProcess::start_own(Service::Api, home, variables, &settings).await?,
        measured: Vec::new(),
    })
}

fn print(contenders: &[Contender; 2], console: Console) {
    console.print(console.paint(
        Tone::Strong,
        format_args!(
            "\n{:<12}{:>12}{:>10}{:>10}",
            "observers", "requests/s", "p50 ms", "p99 ms"
        ),
    ));
    for contender in contenders {
        let of =
            |value: fn(&Figures) -> f64| median(contender.measured.iter().map(value).collect());
        console.print(format_args!(
            "{:<12}{:>12.0}{:>10.1}{:>10.1}",
            contender.name,
            of(|it| it.per_second),
            of(|it| it.p50_ms),
            of(|it| it.p99_ms),
        ));
    }
    let [on, off] = contenders;
    let pairs = on.measured.iter().zip(&off.measured);
    let ratio = median(
        pairs
            .map(|(on, off)| on.per_second / off.per_second)
            .collect(),
    );
    let cost = (1.0 - ratio) * 100.0;
    console.print(format_args!(
        "\nratio observers on/off {ratio:.3}: they cost {cost:.1} %"
    ));
}
