//! What sharing an fsync buys: two APIs without a database, one whose records share fsyncs, one that gives each its own.
//!
//! Both answer from their journals, in turns, another one first each round; the ratio is taken within a round.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::contender::{self, Contender};
use super::ratio::Ratio;
use crate::error::LabError;
use crate::output::{Console, Tone};
use crate::ports;
use crate::settings::Settings;
use crate::stage::{Probe, Service, ServiceProcess};

/// Records of one accepted request: that it was received, and its result.
const RECORDS: f64 = 2.0;
/// The most rounds: a journal that nobody empties grows.
const MOST_ROUNDS: u32 = 10;

/// Measures both and prints the ratio and how many requests shared an fsync.
pub(super) async fn run(
    rounds: u32,
    seconds: u32,
    settings: &Settings,
    folder: &Path,
    console: Console,
) -> Result<(), LabError> {
    console.say("  without a database, answered from the journal");
    let home = (folder, "bench-worker");
    let variables = variables([("HOLDFAST_WORK_DELAY", "0s".to_owned())]);
    let worker = ServiceProcess::start_own(Service::Worker, home, variables, settings).await?;
    let mut contenders = [
        contender("shared", 256, &worker, settings, folder).await?,
        contender("one each", 1, &worker, settings, folder).await?,
    ];
    contender::measure(&mut contenders, rounds.min(MOST_ROUNDS), seconds, console).await?;
    print(&contenders, console).await
}

async fn contender(
    name: &'static str,
    max_batch: u32,
    worker: &ServiceProcess,
    settings: &Settings,
    folder: &Path,
) -> Result<Contender, LabError> {
    let home = format!("bench-{max_batch}");
    let policies = folder.join(format!("{home}.toml"));
    // Room for the whole measurement, and patience for a disk that has to do all of it.
    let text =
        format!("[journal]\nmax_batch = {max_batch}\nmax_bytes = 8589934592\ndeadline = \"2s\"\n");
    fs::write(&policies, text).map_err(LabError::file("write", &policies))?;
    let nobody = ports::free().map_err(LabError::file("find", "a free port"))?;
    let variables = variables([
        ("HOLDFAST_WORKER_URL", worker.probe().base().to_owned()),
        ("DATABASE_URL", crate::postgres::url(nobody)),
        ("HOLDFAST_POLICIES", policies.to_string_lossy().into_owned()),
        ("HOLDFAST_JOURNAL_DIR", "journal".to_owned()),
    ]);
    let home = (folder, home.as_str());
    let process = ServiceProcess::start_own(Service::Api, home, variables, settings).await?;
    Ok(Contender::new(name, process))
}

fn variables<const N: usize>(pairs: [(&str, String); N]) -> BTreeMap<String, String> {
    pairs.map(|(name, value)| (name.to_owned(), value)).into()
}

async fn print(contenders: &[Contender; 2], console: Console) -> Result<(), LabError> {
    let head = format!("{}{:>20}", contender::head("journal"), "requests per fsync");
    console.print(console.paint(Tone::Strong, head));
    for contender in contenders {
        let shared = requests_per_fsync(contender.probe()).await?;
        console.print(format_args!("{}{shared:>20.1}", contender.row()));
    }
    let ratio = Ratio::over(&contender::ratios(contenders));
    console.print(format_args!("\nratio journal shared/one-each {ratio}"));
    Ok(())
}

/// As the API counts them.
async fn requests_per_fsync(probe: &Probe) -> Result<f64, LabError> {
    let appended = probe.metric::<f64>("holdfast_journal_appended_total").await;
    let commits = probe.metric::<f64>("holdfast_journal_commits_total").await;
    let counted = appended.zip(commits);
    let (appended, commits) = counted.ok_or_else(|| LabError::Api {
        url: format!("{}/metrics", probe.base()),
        problem: "it does not count what the journal does".to_owned(),
    })?;
    Ok(appended / RECORDS / commits)
}
