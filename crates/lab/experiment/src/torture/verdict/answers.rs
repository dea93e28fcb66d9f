//! What the clients saw against what they may see.

use std::time::Duration;

use holdfast_checker::contract::breaches;

use crate::load::{Answer, Attempt, CallHistory, Completion};
use crate::measure::GRACE;
use crate::torture::evidence::{Evidence, Span};

/// What an API that was killed or paused is given to be itself again.
const AFTER: Duration = Duration::from_secs(1);
/// What the machine and this client may add to the bound: the usual, and 700 ms because all processes, Postgres and the load
/// share two cores that may be building something else meanwhile.
const MACHINE: Duration = GRACE.saturating_add(Duration::from_millis(700));

/// Every promise, of the run and when it was asked for again, is as the contract says.
pub(super) fn incomplete(evidence: &Evidence) -> Vec<String> {
    let of_run = answers(evidence).map(|(history, _, answer)| (&history.key, answer));
    let again = evidence.again.iter();
    let of_again = again.filter_map(|it| Some((&it.key, it.same.end.answer()?)));
    // What is no promise is told where answers are.
    let promises = of_run
        .chain(of_again)
        .filter(|(_, answer)| answer.is_promise());
    let offenders = promises.filter_map(|(key, answer)| {
        let lacks = breaches(answer);
        (!lacks.is_empty()).then(|| format!("key {key}: {}: {answer:?}", lacks.join(", ")))
    });
    offenders.collect()
}

/// Nothing but 200, 202 and 503; and 408 from an API that was stopped while a body arrived.
pub(super) fn undocumented(evidence: &Evidence) -> Vec<String> {
    let strange = |made: &Attempt, answer: &Answer| match answer.status {
        200 | 202 => false,
        503 => answer.code.is_none(),
        408 => !evidence.was_hurt(made, AFTER),
        _ => true,
    };
    let offenders = answers(evidence).filter(|(_, made, answer)| strange(made, answer));
    offenders
        .map(|(history, _, answer)| format!("key {}: {answer:?}", history.key))
        .collect()
}

/// No 503, whatever was broken but the API itself: the journal accepts what neither dependency can.
pub(super) fn refused(evidence: &Evidence) -> Vec<String> {
    let offenders = answers(evidence)
        .filter(|(_, made, answer)| answer.status == 503 && !evidence.was_hurt(made, AFTER));
    offenders
        .map(|(history, made, answer)| {
            let code = answer.code.as_deref().unwrap_or_default();
            format!("key {} at {:.1?}: 503 {code}", history.key, made.from)
        })
        .collect()
}

/// Every call is answered if some API was well for long enough to be found and to answer.
pub(super) fn unanswered(evidence: &Evidence) -> Vec<String> {
    let given_up = evidence.histories.iter().filter(|it| it.answer().is_none());
    let offenders = given_up.filter(|history| {
        let end = history.attempts.last().map_or(history.intended, |it| it.to);
        let mut apis = 0..evidence.replicas;
        apis.any(|api| well_within(evidence, api, (history.intended, end)))
    });
    offenders
        .map(|history| format!("key {}: {:?}", history.key, history.attempts))
        .collect()
}

/// Every answer came within the bound, unless its API was broken meanwhile.
pub(super) fn late(evidence: &Evidence) -> Vec<String> {
    let attempts = evidence.histories.iter().flat_map(|history| {
        let attempts = history.attempts.iter();
        attempts.map(move |made| (history, made, made.to.saturating_sub(made.from)))
    });
    let offenders = attempts.filter(|(_, made, took)| {
        // A client that gave up on a silent API has waited as well.
        let waited = matches!(made.end, Completion::Answered(_) | Completion::GivenUp);
        waited && *took > evidence.trial.bound + MACHINE && !evidence.was_hurt(made, AFTER)
    });
    offenders
        .map(|(history, made, took)| {
            format!("key {} at {:.1?}: {took:.1?}", history.key, made.from)
        })
        .collect()
}

fn answers(evidence: &Evidence) -> impl Iterator<Item = (&CallHistory, &Attempt, &Answer)> {
    let histories = evidence.histories.iter();
    histories.filter_map(|history| Some((history, history.attempts.last()?, history.answer()?)))
}

/// Whether an API was well, within the span, for as long as a call can take to come to it and be answered.
fn well_within(evidence: &Evidence, api: usize, (from, to): Span) -> bool {
    let load = &evidence.experiment.load;
    let needed = load.try_for.unwrap_or(load.patience) + evidence.trial.bound + MACHINE;
    let mut since = from;
    for outage in evidence.outages(api) {
        if outage.0.min(to).saturating_sub(since) >= needed {
            return true;
        }
        since = since.max(outage.1.saturating_add(AFTER));
    }
    to.saturating_sub(since) >= needed
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{RunFixture, answer, rules};
    use super::*;
    use crate::plan::Target;

    const API: Target = Target::Replica(1);

    #[test]
    fn an_answer_that_no_document_knows_is_named() {
        for status in [408, 409, 422, 500] {
            let found = rules(RunFixture::well().refused(1, status, Some("x")));
            assert_eq!(found, ["every answer is one that is documented"]);
        }
        let stopped = RunFixture::well().refused(1, 408, Some("request_timeout"));
        assert!(rules(stopped.outage(API, 9.0, 10.0)).is_empty());
        assert!(rules(RunFixture::well().refused(1, 503, None)).len() > 1);
    }

    #[test]
    fn a_503_counts_unless_the_api_was_hurt() {
        const RULE: &str = "no outage refuses anybody";
        let refused = || RunFixture::well().refused(1, 503, Some("db_unavailable"));
        assert_eq!(rules(refused()), [RULE]);
        let db = refused().outage(Target::Database, 9.0, 11.0);
        assert_eq!(rules(db.outage(Target::Worker, 8.0, 11.0)), [RULE]);
        assert!(rules(refused().outage(API, 9.0, 9.9)).is_empty());
    }

    #[test]
    fn a_call_may_be_given_up_only_if_no_api_was_well_long_enough() {
        const RULE: &str = "a living API answers";
        let given_up = || RunFixture::well().tried(1, Completion::Reset, 10.0, 40.0);
        assert_eq!(rules(given_up()), [RULE]);
        assert!(rules(given_up().outage(API, 9.0, 35.0)).is_empty());
        assert_eq!(rules(given_up().outage(API, 9.0, 11.0)), [RULE]);
        let other = given_up().with(|it| it.replicas = 2).outage(API, 9.0, 41.0);
        assert_eq!(rules(other), [RULE]);
    }

    #[test]
    fn an_answer_beyond_the_bound_counts_unless_its_api_was_hurt() {
        const RULE: &str = "every answer comes within the bound";
        let late = || RunFixture::well().tried(1, answer(200, 1), 10.0, 16.0);
        assert_eq!(rules(late()), [RULE]);
        assert!(rules(late().outage(API, 11.0, 12.0)).is_empty());
        assert_eq!(rules(late().outage(Target::Database, 11.0, 12.0)), [RULE]);
        assert!(rules(RunFixture::well().tried(1, answer(200, 1), 10.0, 14.9)).is_empty());
        let silent = RunFixture::well().tried(1, Completion::GivenUp, 10.0, 16.5);
        assert_eq!(rules(silent), [RULE]);
    }
}
