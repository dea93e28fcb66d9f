//! The judgement: evidence in, violations out. Pure.

mod answers;
mod contents;
#[cfg(test)]
mod fixture;
mod played;
mod quiescent;
mod records;

use std::fmt;
use std::time::Duration;

use super::evidence::{Evidence, Outage};
use super::schedule::Target;

/// A promise of docs/durability.md that was broken, or something without which none was put to the test; and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Violation {
    pub(super) rule: &'static str,
    pub(super) detail: String,
}

impl Violation {
    fn new(rule: &'static str, detail: impl fmt::Display) -> Self {
        Self {
            rule,
            detail: detail.to_string(),
        }
    }
}

/// Everything that was broken.
pub(super) fn violations(evidence: &Evidence) -> Vec<Violation> {
    let fell = evidence.fell.iter();
    let left = evidence.left.iter();
    let mut found: Vec<Violation> = fell
        .map(|what| Violation::new("what was broken comes back", what))
        .chain(left.map(|what| Violation::new("all is done after the heal", what)))
        .collect();
    found.extend(played::shown(evidence));
    found.extend(played::bound(evidence));
    if let Some(tables) = &evidence.tables {
        found.extend(records::lost(&tables.ledger));
        found.extend(records::finished(&tables.rows));
        found.extend(records::rows(evidence, tables));
        found.extend(records::keys(evidence, tables));
        found.extend(records::again(evidence, tables));
        found.extend(records::results(evidence, tables));
    }
    found.extend(quiescent::quiescent(evidence));
    found.extend(contents::contents(evidence));
    found.extend(answers::documented(evidence));
    found.extend(answers::refused(evidence));
    found.extend(answers::unanswered(evidence));
    found.extend(answers::late(evidence));
    found
}

/// Whether `target` was broken at any time from `from` to `to`, or within `after` before.
fn outage(evidence: &Evidence, target: Target, (from, to): Span, after: Duration) -> bool {
    let own = |outage: &&Outage| outage.target == target;
    let mut own = evidence.outages.iter().filter(own);
    own.any(|outage| outage.from <= to && from <= outage.to.saturating_add(after))
}

type Span = (Duration, Duration);
