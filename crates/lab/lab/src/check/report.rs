//! The account as it is shown.

use super::Ledger;
use crate::output::{Console, Tone};

/// Offenders of one kind that are named.
const NAMED: usize = 5;

impl Ledger {
    /// The figures, then whom they are about.
    pub fn print(&self, console: Console) {
        for (name, count) in self.figures() {
            let tone = match name {
                "accepted" => Tone::Plain,
                "done" if count == self.accepted => Tone::Good,
                "done" => Tone::Warning,
                _ if count == 0 => Tone::Plain,
                _ => Tone::Bad,
            };
            let count = console.paint(tone, format!("{count:>8}"));
            console.print(format_args!("{name:<22}{count}"));
        }
        let ids = |ids: &[uuid::Uuid]| ids.iter().map(ToString::to_string).collect();
        name("open", ids(&self.open), console);
        let failed = self.failed.iter().map(|(id, why)| format!("{id}: {why}"));
        name("failed", failed.collect(), console);
        name("duplicate", self.duplicate.clone(), console);
        name("missing", ids(&self.missing), console);
    }
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
