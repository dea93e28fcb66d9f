//! The account as it is shown.

use super::Ledger;
use crate::output::{Console, Tone};

/// Offenders of one kind that are named.
const NAMED: usize = 5;

/// The figures, then whom they are about.
pub fn tell(ledger: &Ledger, console: Console) {
    for (name, count) in ledger.figures() {
        let tone = match name {
            "accepted" => Tone::Plain,
            "done" if count == ledger.accepted => Tone::Good,
            "done" => Tone::Warning,
            _ if count == 0 => Tone::Plain,
            _ => Tone::Bad,
        };
        let count = console.paint(tone, format!("{count:>8}"));
        console.print(format_args!("{name:<22}{count}"));
    }
    let ids = |ids: &[uuid::Uuid]| ids.iter().map(ToString::to_string).collect();
    name("open", ids(&ledger.open), console);
    let failed = ledger.failed.iter().map(|(id, why)| format!("{id}: {why}"));
    name("failed", failed.collect(), console);
    name("duplicate", ledger.duplicate.clone(), console);
    name("missing", ids(&ledger.missing), console);
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
