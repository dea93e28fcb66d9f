//! The report as it is shown.

use super::DurabilityReport;
use crate::output::{Console, Tone};

/// Offenders of one kind that are named.
const NAMED: usize = 5;

/// The figures, then whom they are about.
pub fn tell(report: &DurabilityReport, console: Console) {
    for (name, count) in report.figures() {
        let tone = match name {
            "accepted" => Tone::Plain,
            "done" if count == report.accepted => Tone::Good,
            "done" => Tone::Warning,
            _ if count == 0 => Tone::Plain,
            _ => Tone::Bad,
        };
        let count = console.paint(tone, format!("{count:>8}"));
        console.print(format_args!("{name:<22}{count}"));
    }
    let ids = |ids: &[uuid::Uuid]| ids.iter().map(ToString::to_string).collect();
    name("open", ids(&report.open), console);
    let failed = report.failed.iter().map(|(id, why)| format!("{id}: {why}"));
    name("failed", failed.collect(), console);
    name("duplicate", report.duplicate.clone(), console);
    name("missing", ids(&report.missing), console);
}

fn name(kind: &str, offenders: Vec<String>, console: Console) {
    let more = offenders.len().saturating_sub(NAMED);
    for offender in offenders.into_iter().take(NAMED) {
        console.print(format_args!("  {kind}: {offender}"));
    }
    if more > 0 {
        console.print(format_args!("  {kind}: and {more} more"));
    }
}
