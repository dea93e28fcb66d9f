//! What it costs to be seen: two APIs of the same build before the same worker and Postgres, one with its log, its spans
//! and its metrics, one with none of them.
//!
//! In turns, another one first each round; the ratio is taken within a round.

use std::collections::BTreeMap;
use std::path::Path;

use super::contender::{self, Contender};
use super::ratio::Ratio;
use crate::error::LabError;
use crate::output::{Console, Tone};
use crate::settings::Settings;
use crate::stage::{Probe, Service, ServiceProcess};

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
    contender::measure(&mut contenders, rounds, seconds, console).await?;
    for contender in &contenders {
        super::nothing_failed(contender.probe()).await?;
    }
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
    let process = ServiceProcess::start_own(Service::Api, home, variables, &settings).await?;
    Ok(Contender::new(name, process))
}

fn print(contenders: &[Contender; 2], console: Console) {
    console.print(console.paint(Tone::Strong, contender::head("observers")));
    for contender in contenders {
        console.print(contender.row());
    }
    let ratio = Ratio::over(&contender::ratios(contenders));
    let cost = ratio.loss();
    console.print(format_args!(
        "\nratio observers on/off {ratio}: they cost {cost:.1} %"
    ));
}
