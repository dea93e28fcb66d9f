//! The run as it is shown: what was played, the figures, what was broken, how to see it again.

use std::fs;
use std::path::Path;

use holdfast_system::error::SystemError;

use super::Plan;
use super::evidence::Evidence;
use super::verdict::verdict;
use crate::durability;
use crate::error::ExperimentError;
use crate::load::Summary;
use crate::output::{Console, Tone};
use crate::plan::{Fault, Kind};
use crate::report::one_sided;
use crate::results;
use crate::run::Outcome;
use crate::settings::StageKind;

pub(super) fn announce(
    plan: &Plan,
    (stage, replicas): (StageKind, usize),
    faults: &[Fault],
    console: Console,
) {
    console.say(format_args!(
        "seed {}: {} faults in {:?}, {} requests/s, {} replica(s) of the API",
        plan.seed,
        faults.len(),
        plan.duration,
        plan.rate,
        replicas
    ));
    if stage == StageKind::Swarm {
        console.say("an API that is broken is its whole node: with worker, Postgres and etcd");
    }
    for fault in faults {
        let (at, lasts) = (fault.at.as_secs_f64(), fault.lasts.as_secs_f64());
        let line = format!("  {at:>6.1} s  {fault} for {lasts:.1} s");
        console.say(console.paint(Tone::Faint, line));
    }
    console.say("");
}

/// Judges, shows the figures and the verdict, and leaves all of it in the folder.
pub(super) fn judge(
    evidence: &Evidence,
    folder: &Path,
    console: Console,
) -> Result<Outcome, ExperimentError> {
    let verdict = verdict(evidence);
    figures(evidence, console);
    let title = &evidence.experiment.title;
    for line in one_sided(title, &verdict, verdict.finding(), console) {
        console.print(line);
    }
    let mut files = vec![("attempts.txt", debug(&evidence.histories))];
    if let Some(tables) = &evidence.tables {
        files.push(("rows.txt", debug(&tables.rows)));
        files.push(("keys.txt", debug(&tables.keys)));
    }
    for (name, lines) in files {
        let path = folder.join(name);
        fs::write(&path, lines.join("\n") + "\n").map_err(SystemError::file("write", &path))?;
    }
    results::leave(&evidence.trial, &verdict, folder)?;
    Ok(Outcome::of(&verdict))
}

fn figures(evidence: &Evidence, console: Console) {
    console.print(console.paint(Tone::Strong, "\n=== the clients ===\n"));
    Summary::of(&evidence.histories).print(console);
    console.print(console.paint(Tone::Strong, "\n=== the promises, in Postgres ===\n"));
    match &evidence.tables {
        Some(tables) => durability::tell(&tables.report, console),
        None => console.print("Postgres did not answer"),
    }
    console.print(console.paint(Tone::Strong, "\n=== the run ===\n"));
    let of = |kind| {
        let faults = evidence.experiment.faults.iter();
        faults.filter(|fault| fault.kind == kind).count()
    };
    let rows = evidence.tables.as_ref().map_or(0, |it| it.rows.len());
    let told = |calls: Option<u64>| calls.map_or("?".to_owned(), |it| it.to_string());
    #[expect(clippy::cast_precision_loss, reason = "a ratio")]
    let per_request = |calls: u64| format!("{:.2}", calls as f64 / rows.max(1) as f64);
    let row = |name, value: String| console.print(format_args!("{name:<22}{value:>8}"));
    let count = |name, count: usize| row(name, count.to_string());
    count("faults", evidence.experiment.faults.len());
    count("  kills", of(Kind::Kill));
    count("  pauses", of(Kind::Pause));
    count("  partitions", of(Kind::Partition));
    count("  drains", of(Kind::Drain));
    count("  failovers", of(Kind::LossyFailover));
    count("    promises they took", evidence.lost_by_failover.len());
    count("requests recorded", rows);
    row("worker calls", told(evidence.worker_calls));
    let per_request = evidence.worker_calls.map(per_request);
    row("  per request", per_request.unwrap_or("?".to_owned()));
    count("keys sent again", evidence.again.len());
    let sent = evidence.quiescent.sent.to_string();
    row("requests in the quiescent phase", sent);
    row("  worker calls", told(evidence.quiescent.calls));
    console.print("");
}

fn debug<T: std::fmt::Debug>(items: &[T]) -> Vec<String> {
    items.iter().map(|item| format!("{item:?}")).collect()
}

/// The command that plays the same faults against the same arrivals.
pub(super) fn command(plan: &Plan, stage: StageKind) -> String {
    let stage = match stage {
        StageKind::Local => String::new(),
        other => format!("STAGE={} ", other.name()),
    };
    let replicas = plan.replicas.map(|number| format!(" --replicas {number}"));
    let settle = plan.settle.map(|settle| settle.as_secs_f64());
    let settle = settle.map(|seconds| format!(" --settle {seconds}s"));
    format!(
        "{stage}lab torture --duration {}s --seed {}{} --rate {}{}",
        plan.duration.as_secs_f64(),
        plan.seed,
        replicas.unwrap_or_default(),
        plan.rate,
        settle.unwrap_or_default(),
    )
}

/// Where everything is, for whoever looks into it.
pub(super) fn kept(folder: &Path, plan: &Plan, stage: StageKind, console: Console) {
    console.say(format_args!("  again:  {}", command(plan, stage)));
    let items = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = items.map(|item| item.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    console.say(format_args!(
        "  kept:   {} ({})",
        folder.display(),
        names.join(", ")
    ));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_command_repeats_what_was_given() {
        let mut plan = Plan {
            duration: Duration::from_secs(30),
            seed: 3,
            replicas: Some(2),
            rate: 20.0,
            settle: None,
            keep: false,
        };
        let plain = "lab torture --duration 30s --seed 3 --replicas 2 --rate 20";
        assert_eq!(command(&plan, StageKind::Local), plain);
        plan.settle = Some(Duration::from_millis(1_500));
        let settles = format!("{plain} --settle 1.5s");
        assert_eq!(command(&plan, StageKind::Local), settles);
        plan.replicas = None;
        let on_nodes = "STAGE=swarm lab torture --duration 30s --seed 3 --rate 20 --settle 1.5s";
        assert_eq!(command(&plan, StageKind::Swarm), on_nodes);
    }
}
