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
    let mut in_tables = |rule, offenders: Rule| {
        checks.push(match &evidence.tables {
            Some(tables) => check(rule, &offenders(evidence, tables)),
            None => unknown(rule, "Postgres did not answer"),
        });
    };
    in_tables("every accepted request is done exactly once", records::lost);
    in_tables("whatever is recorded is done", records::unfinished);
    let rule = "no more requests are recorded than were made";
    in_tables(rule, records::too_many);
    in_tables("a key stands for one request", records::ambiguous_keys);
    let rule = "the same key again gives the same request, finished";
    in_tables(rule, records::unresolved);
    let rule = "a used key with another body is refused (422)";
    in_tables(rule, records::not_refused);
    let rule = "a result once told to a client stays";
    in_tables(rule, records::changed_results);

    let mut holds = |rule, offenders: &[String]| checks.push(check(rule, offenders));
    holds("what was broken comes back", &evidence.not_healed);
    holds("all is done after the heal", &evidence.left);
    let rule = "the run puts the promises to the test";
    holds(rule, &played::untested(evidence));
    let rule = "the published bound is the one of its policies";
    holds(rule, &played::other_bounds(evidence));
    holds(
        "a promise says what it must",
        &answers::incomplete(evidence),
    );
    let rule = "every answer is one that is documented";
    holds(rule, &answers::undocumented(evidence));
    holds("no outage refuses anybody", &answers::refused(evidence));
    holds("a living API answers", &answers::unanswered(evidence));
    let rule = "every answer comes within the bound";
    holds(rule, &answers::late(evidence));
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
