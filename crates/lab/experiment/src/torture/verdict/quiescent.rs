//! While nothing is broken, all is as it should be.

use super::Violation;
use crate::torture::evidence::Evidence;

/// Every answer is whole, and each request made one call of the worker.
pub(super) fn quiescent(evidence: &Evidence) -> Vec<Violation> {
    let quiescent = evidence.quiescent;
    let mut found = Vec::new();
    if quiescent.whole < quiescent.sent || quiescent.sent == 0 {
        let detail = format!("{} of {} answers were", quiescent.whole, quiescent.sent);
        found.push(Violation::new(
            "in the quiescent phase every answer is whole",
            detail,
        ));
    }
    if quiescent.calls != Some(quiescent.sent) {
        let calls = quiescent
            .calls
            .map_or("an unknown number of".to_owned(), |it| it.to_string());
        let detail = format!("{} requests made {calls} calls", quiescent.sent);
        let rule = "in the quiescent phase each request makes one call of the worker";
        found.push(Violation::new(rule, detail));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::torture::quiescent::QuiescentPhase;
    use crate::torture::verdict::fixture::RunFixture;

    fn rules(sent: u64, whole: u64, calls: Option<u64>) -> usize {
        let mut evidence = RunFixture::well().evidence();
        evidence.quiescent = QuiescentPhase { sent, whole, calls };
        quiescent(&evidence).len()
    }

    #[test]
    fn one_call_for_each_request_and_whole_answers_are_as_it_should_be() {
        assert_eq!(rules(80, 80, Some(80)), 0);
    }

    #[test]
    fn work_done_twice_a_degraded_answer_and_a_silent_worker_are_not() {
        assert_eq!(rules(80, 80, Some(81)), 1);
        assert_eq!(rules(80, 79, Some(80)), 1);
        assert_eq!(rules(80, 80, None), 1);
        assert_eq!(rules(0, 0, Some(0)), 1);
    }
}
