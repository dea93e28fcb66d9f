//! Whether anything was put to the test: a run that nobody noticed shows nothing. And what was counted while nothing was broken.

use std::time::Duration;

use super::{check, unknown};
use crate::load::{Answer, CallHistory};
use crate::plan::Target;
use crate::torture::evidence::Evidence;
use crate::verdict::Check;

/// A dependency that is down for longer, in all, is missed by some answer: an attempt waits half of that.
const NOTICED: Duration = Duration::from_secs(1);

/// Requests were accepted, whole answers and degraded ones were given.
pub(super) fn untested(evidence: &Evidence) -> Vec<String> {
    let answered = |wanted: fn(&Answer) -> bool| {
        let mut answers = evidence.histories.iter().filter_map(CallHistory::answer);
        answers.any(wanted)
    };
    let accepted = evidence.histories.iter().any(|it| it.accepted().is_some());
    let degraded = answered(|answer| answer.is_promise() && !answer.degraded.is_empty());
    let felt = [Target::Worker, Target::Database].map(|target| hurt_for(evidence, target));
    let noticeable = felt.into_iter().any(|lasted| lasted > NOTICED);
    let missing = [
        (!accepted, "nothing was accepted"),
        (
            !answered(Answer::is_whole),
            "no answer was a 200 without anything missing",
        ),
        (
            noticeable && !degraded,
            "no answer was degraded, although the worker or the database was down for more than a second",
        ),
    ];
    let missing = missing.into_iter().filter(|(is_missing, _)| *is_missing);
    missing.map(|(_, what)| what.to_owned()).collect()
}

/// Every API publishes the bound that its policies give.
pub(super) fn other_bounds(evidence: &Evidence) -> Vec<String> {
    let bound = evidence.trial.bound;
    // It is published in seconds, as a float.
    let is_other = |published: &&Duration| published.abs_diff(bound) > Duration::from_millis(1);
    let others = evidence.published.iter().filter(is_other);
    others
        .map(|published| format!("{published:?} instead of {bound:?}"))
        .collect()
}

/// A key that was used asks for no work; without faults every answer is whole, and each request makes one call. Work that is
/// done twice at once, because a lease does not hold, say, shows here and nowhere else: the record is single all the same.
pub(super) fn worker_calls(evidence: &Evidence) -> [Check; 3] {
    let quiescent = evidence.quiescent;
    let mut broken = Vec::new();
    if quiescent.whole < quiescent.sent || quiescent.sent == 0 {
        broken.push(format!(
            "{} of {} answers were",
            quiescent.whole, quiescent.sent
        ));
    }
    let calls = |rule, calls: Option<u64>, meant: u64| match calls {
        Some(calls) if calls == meant => check(rule, &[]),
        Some(calls) => check(rule, &[format!("{meant} were due, and {calls} were made")]),
        None => unknown(rule, "the worker's calls could not be counted"),
    };
    [
        calls(
            "the same key again makes no call of the worker",
            evidence.worker_calls_again,
            0,
        ),
        check("in the quiescent phase every answer is whole", &broken),
        calls(
            "in the quiescent phase each request makes one call of the worker",
            quiescent.calls,
            quiescent.sent,
        ),
    ]
}

fn hurt_for(evidence: &Evidence, target: Target) -> Duration {
    let own = evidence
        .trial
        .faults
        .iter()
        .filter(|it| it.target == target);
    own.map(|fault| fault.recovered.saturating_sub(fault.from))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{RunFixture, rules, seconds};
    use super::super::verdict;
    use super::*;
    use crate::torture::quiescent::QuiescentPhase;
    use crate::verdict::Finding;

    const RULE: &str = "the run puts the promises to the test";

    fn seen(rule: &str, scene: RunFixture) -> String {
        let verdict = verdict(&scene.evidence());
        let check = verdict.checks.into_iter().find(|check| check.name == rule);
        check.unwrap().seen
    }

    #[test]
    fn a_run_without_a_fault_shows_nothing() {
        let found = rules(RunFixture::well().without_outages());
        assert_eq!(found, ["something was broken"]);
    }

    #[test]
    fn a_fault_that_was_never_in_force_or_is_not_over_is_named() {
        let mut evidence = RunFixture::well().evidence();
        evidence.trial.faults[0].live.holds = false;
        evidence.trial.faults[0].healed.holds = false;
        assert_eq!(verdict(&evidence).count(Finding::Failed), 2);
    }

    #[test]
    fn a_run_in_which_all_are_refused_shows_nothing() {
        let found = seen(RULE, RunFixture::well().all(|answer| answer.status = 503));
        assert!(
            found.starts_with("not, 3 times; nothing was accepted;"),
            "{found}"
        );
    }

    #[test]
    fn a_run_without_a_whole_answer_or_without_a_degraded_one_shows_too_little() {
        let degraded = RunFixture::well().all(|answer| {
            answer.degraded = vec!["worker_unavailable:circuit_open".to_owned()];
        });
        assert!(seen(RULE, degraded).contains("200"));
        let whole = || RunFixture::well().all(|answer| answer.degraded.clear());
        assert!(seen(RULE, whole()).contains("degraded"));
        // Too short to be noticed, or not what an answer would tell.
        for (target, from, to) in [
            (Target::Database, 9.0, 9.9),
            (Target::Replica(1), 50.0, 59.0),
        ] {
            assert!(rules(whole().without_outages().outage(target, from, to)).is_empty());
        }
    }

    #[test]
    fn an_api_that_publishes_another_bound_is_named() {
        let rule = "the published bound is the one of its policies";
        let other = seen(
            rule,
            RunFixture::well().with(|it| it.published = vec![seconds(9.0)]),
        );
        assert!(other.contains("9s instead of 4s"), "{other}");
    }

    #[test]
    fn of_a_postgres_that_does_not_answer_nobody_can_say_what_it_keeps() {
        let mut evidence = RunFixture::well().evidence();
        evidence.tables = None;
        let verdict = verdict(&evidence);
        assert!(verdict.stands() && !verdict.passed());
    }

    #[test]
    fn each_request_makes_one_call_and_one_that_is_known_makes_none() {
        let findings = |again, sent, whole, calls| {
            let mut evidence = RunFixture::well().evidence();
            evidence.worker_calls_again = again;
            evidence.quiescent = QuiescentPhase { sent, whole, calls };
            worker_calls(&evidence).map(|check| check.finding())
        };
        let (held, failed, unknown) = (Finding::Held, Finding::Failed, Finding::Unknown);
        assert_eq!(findings(Some(0), 80, 80, Some(80)), [held; 3]);
        assert_eq!(findings(Some(1), 80, 80, Some(81)), [failed, held, failed]);
        assert_eq!(findings(None, 80, 79, None), [unknown, failed, unknown]);
        assert_eq!(findings(Some(0), 0, 0, Some(0)), [held, failed, held]);
    }
}
