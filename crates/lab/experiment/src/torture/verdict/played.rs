//! Whether anything was put to the test: a run in which nothing was broken, or nobody noticed, shows nothing.

use std::time::Duration;

use super::Violation;
use crate::load::{Answer, CallHistory};
use crate::torture::evidence::{Evidence, Outage};
use crate::torture::schedule::{Kind, Target};

/// A dependency that is down for longer, in all, is missed by some answer: an attempt waits half of that.
const NOTICED: Duration = Duration::from_secs(1);

/// Faults were played, requests were accepted, whole answers and degraded ones were given.
pub(super) fn shown(evidence: &Evidence) -> Vec<Violation> {
    const RULE: &str = "the run puts the promises to the test";
    let answered = |wanted: fn(&Answer) -> bool| {
        let mut answers = evidence.histories.iter().filter_map(CallHistory::answer);
        answers.any(wanted)
    };
    let accepted = evidence.histories.iter().any(|it| it.accepted().is_some());
    let whole = answered(|answer| answer.status == 200 && answer.degraded.is_empty());
    let degraded =
        answered(|answer| matches!(answer.status, 200 | 202) && !answer.degraded.is_empty());
    let felt = [Target::Worker, Target::Db].map(|target| hurt_for(evidence, target));
    let noticeable = felt.into_iter().any(|lasted| lasted > NOTICED);
    let missing = [
        (evidence.outages.is_empty(), "no fault was played"),
        (!accepted, "nothing was accepted"),
        (!whole, "no answer was a 200 without anything missing"),
        (
            noticeable && !degraded,
            "no answer was degraded, although the worker or the database was down for more than a second",
        ),
    ];
    let missing = missing.into_iter().filter(|(is_missing, _)| *is_missing);
    missing
        .map(|(_, what)| Violation::new(RULE, what))
        .collect()
}

/// Every API publishes the bound that its policies give.
pub(super) fn bound(evidence: &Evidence) -> Vec<Violation> {
    let others = evidence.published.iter().filter(|published| {
        // It is published in seconds, as a float.
        published.abs_diff(evidence.bound) > Duration::from_millis(1)
    });
    others
        .map(|published| {
            let detail = format!("{published:?} instead of {:?}", evidence.bound);
            Violation::new("the published bound is the one of its policies", detail)
        })
        .collect()
}

/// But for failovers, in which the server is there at once.
fn hurt_for(evidence: &Evidence, target: Target) -> Duration {
    let own = |outage: &&Outage| outage.target == target && outage.kind != Kind::FailOver;
    let own = evidence.outages.iter().filter(own);
    own.map(|outage| outage.to.saturating_sub(outage.from))
        .fold(Duration::ZERO, Duration::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::RunFixture;
    use super::super::violations;
    use super::*;

    const RULE: &str = "the run puts the promises to the test";

    fn shown(scene: RunFixture) -> Vec<String> {
        let found = violations(&scene.evidence()).into_iter();
        let found = found.filter(|one| one.rule == RULE);
        found.map(|one| one.detail).collect()
    }

    #[test]
    fn a_run_without_a_fault_shows_nothing() {
        assert_eq!(
            shown(RunFixture::well().without_outages()),
            ["no fault was played"]
        );
    }

    #[test]
    fn a_run_in_which_all_are_refused_shows_nothing() {
        let refused = RunFixture::well().all(|answer| answer.status = 503);
        let found = shown(refused);
        assert_eq!(found.len(), 3, "{found:?}");
        assert_eq!(found[0], "nothing was accepted");
    }

    #[test]
    fn a_run_without_a_whole_answer_or_without_a_degraded_one_shows_too_little() {
        let degraded = shown(RunFixture::well().all(|answer| {
            answer.degraded = vec!["worker_unavailable:circuit_open".to_owned()];
        }));
        assert!(degraded.len() == 1 && degraded[0].contains("200"));
        let whole = || RunFixture::well().all(|answer| answer.degraded.clear());
        assert!(shown(whole())[0].contains("degraded"));
        // Too short to be noticed, or not what an answer would tell.
        assert!(shown(whole().without_outages().outage(Target::Db, 9.0, 9.9)).is_empty());
        assert!(shown(whole().without_outages().outage(Target::Api(0), 50.0, 59.0)).is_empty());
    }

    #[test]
    fn an_api_that_publishes_another_bound_is_named() {
        let found = violations(&RunFixture::well().published(9.0).evidence());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].detail, "9s instead of 4s");
    }
}
