//! The judgement: evidence in, a verdict out, by a check for each promise of docs/durability.md and for what must be so that
//! they were put to the test. Pure.

mod answers;
#[cfg(test)]
mod fixture;
mod played;
mod records;

use super::evidence::{Evidence, Tables};
use crate::verdict::{Check, Verdict, broken};

/// Offenders that are named, and how much of each: a detail can hold every attempt of a call.
const NAMED: usize = 3;
const DETAIL: usize = 300;

/// Holds the evidence against all rules.
pub(super) fn verdict(evidence: &Evidence) -> Verdict {
    let mut checks = broken(&evidence.experiment, &evidence.trial);
    let of_tables: [(&str, Rule); 7] = [
        ("every accepted request is done exactly once", records::lost),
        ("whatever is recorded is done", records::unfinished),
        (
            "no more requests are recorded than were made",
            records::too_many,
        ),
        ("a key stands for one request", records::ambiguous_keys),
        (
            "the same key again gives the same request, finished",
            records::unresolved,
        ),
        (
            "a used key with another body is refused (422)",
            records::not_refused,
        ),
        (
            "a result once told to a client stays",
            records::changed_results,
        ),
    ];
    checks.extend(of_tables.map(|(rule, offenders)| match &evidence.tables {
        Some(tables) => check(rule, &offenders(evidence, tables)),
        None => unknown(rule, "Postgres did not answer"),
    }));
    let of_run = [
        ("what was broken comes back", evidence.not_healed.clone()),
        ("all is done after the heal", evidence.left.clone()),
        (
            "the run puts the promises to the test",
            played::untested(evidence),
        ),
        (
            "the published bound is the one of its policies",
            played::other_bounds(evidence),
        ),
        ("a promise says what it must", answers::incomplete(evidence)),
        (
            "every answer is one that is documented",
            answers::undocumented(evidence),
        ),
        ("no outage refuses anybody", answers::refused(evidence)),
        ("a living API answers", answers::unanswered(evidence)),
        (
            "every answer comes within the bound",
            answers::late(evidence),
        ),
    ];
    checks.extend(of_run.map(|(rule, offenders)| check(rule, &offenders)));
    checks.extend(played::worker_calls(evidence));
    Verdict { checks }
}

type Rule = fn(&Evidence, &Tables) -> Vec<String>;

fn check(rule: &str, offenders: &[String]) -> Check {
    let mut seen = match offenders.len() {
        0 => "so for all".to_owned(),
        count => format!("not, {count} times"),
    };
    for offender in offenders.iter().take(NAMED) {
        seen.push_str("; ");
        seen.extend(offender.chars().take(DETAIL));
    }
    Check::plain(None, rule, "so for all", seen, offenders.is_empty())
}

fn unknown(rule: &str, why: &str) -> Check {
    Check {
        unknown: true,
        ..Check::plain(None, rule, "so for all", why.to_owned(), false)
    }
}
