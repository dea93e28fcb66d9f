//! The run as it is shown: what was played, the figures, what was broken, how to see it again.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use holdfast_system::error::SystemError;

use super::Plan;
use super::evidence::Evidence;
use super::schedule::Kind;
use super::verdict::Violation;
use crate::durability;
use crate::error::ExperimentError;
use crate::load::Summary;
use crate::output::{Console, Tone};

/// Violations of one rule that are shown.
const SHOWN: usize = 3;
/// A detail can hold every try of a call.
const DETAIL: usize = 300;

/// The table of figures.
pub(super) fn figures(evidence: &Evidence, console: Console) {
    console.print(console.paint(Tone::Strong, "\n=== the clients ===\n"));
    Summary::of(&evidence.histories).print(console);
    console.print(console.paint(Tone::Strong, "\n=== the promises, in Postgres ===\n"));
    let rows = match &evidence.tables {
        Some(tables) => {
            durability::tell(&tables.ledger, console);
            tables.rows.len()
        }
        None => {
            console.print("Postgres did not answer");
            0
        }
    };
    console.print(console.paint(Tone::Strong, "\n=== the run ===\n"));
    let of = |kind| {
        evidence
            .outages
            .iter()
            .filter(|outage| outage.kind == kind)
            .count()
    };
    let line = |name: &str, value: String| console.print(format_args!("{name:<22}{value:>8}"));
    line("faults played", evidence.outages.len().to_string());
    line("  kills", of(Kind::Kill).to_string());
    line("  pauses", of(Kind::Pause).to_string());
    line("  failovers", of(Kind::FailOver).to_string());
    let lost: u64 = evidence.outages.iter().map(|outage| outage.rows_lost).sum();
    line("    rows they lost", lost.to_string());
    let unknown = evidence.lost_by_failover.len();
    line("    promises they took", unknown.to_string());
    line("requests recorded", rows.to_string());
    if let Some(calls) = evidence.worker_calls {
        line("worker calls", calls.to_string());
        #[expect(clippy::cast_precision_loss, reason = "a ratio")]
        let ratio = calls as f64 / rows.max(1) as f64;
        line("  per request", format!("{ratio:.2}"));
    }
    line("keys sent again", evidence.again.len().to_string());
    line(
        "requests in the quiescent phase",
        evidence.quiescent.sent.to_string(),
    );
    let calls = evidence.quiescent.calls;
    line(
        "  worker calls",
        calls.map_or("?".to_owned(), |it| it.to_string()),
    );
    console.print("");
}

/// What was broken, by rule; none: one line that says so.
pub(super) fn verdict(violations: &[Violation], console: Console) {
    if violations.is_empty() {
        return console.print(console.paint(Tone::Good, "held: nothing accepted was lost"));
    }
    let mut details_of: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for violation in violations {
        details_of
            .entry(violation.rule)
            .or_default()
            .push(&violation.detail);
    }
    for (rule, details) in details_of {
        let title = format!("broken, {} times: {rule}", details.len());
        console.print(console.paint(Tone::Bad, title));
        for detail in details.iter().take(SHOWN) {
            let short: String = detail.chars().take(DETAIL).collect();
            console.print(format_args!("  {short}"));
        }
    }
}

/// The command that plays the same faults against the same arrivals.
pub(super) fn command(plan: &Plan) -> String {
    let settle = plan.settle.map(|settle| settle.as_secs_f64());
    let settle = settle.map_or_else(String::new, |seconds| format!(" --settle {seconds}s"));
    format!(
        "lab torture --duration {}s --seed {} --replicas {} --rate {}{settle}",
        plan.duration.as_secs_f64(),
        plan.seed,
        plan.replicas,
        plan.rate
    )
}

/// Leaves in the folder what was judged, and the verdict.
pub(super) fn write(
    evidence: &Evidence,
    violations: &[Violation],
    folder: &Path,
) -> Result<(), ExperimentError> {
    let told = violations
        .iter()
        .map(|one| format!("{}: {}", one.rule, one.detail))
        .chain(evidence.outages.iter().map(|outage| format!("{outage:?}")));
    let mut files = vec![
        ("verdict.txt", told.collect()),
        ("attempts.txt", lines(&evidence.histories)),
    ];
    if let Some(tables) = &evidence.tables {
        files.push(("rows.txt", lines(&tables.rows)));
        files.push(("keys.txt", lines(&tables.keys)));
    }
    for (name, lines) in files {
        let path = folder.join(name);
        let text: Vec<String> = lines;
        fs::write(&path, text.join("\n") + "\n").map_err(SystemError::file("write", &path))?;
    }
    Ok(())
}

fn lines<T: std::fmt::Debug>(items: &[T]) -> Vec<String> {
    items.iter().map(|item| format!("{item:?}")).collect()
}

/// Where everything is, for whoever looks into it.
pub(super) fn kept(folder: &Path, plan: &Plan, console: Console) {
    console.say(format_args!("  again:  {}", command(plan)));
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
            replicas: 2,
            rate: 20.0,
            settle: None,
            keep: false,
        };
        let plain = "lab torture --duration 30s --seed 3 --replicas 2 --rate 20";
        assert_eq!(command(&plan), plain);
        plan.settle = Some(Duration::from_millis(1_500));
        assert_eq!(command(&plan), format!("{plain} --settle 1.5s"));
    }
}
