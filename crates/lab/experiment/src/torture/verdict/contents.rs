//! What a promise says of itself.

use holdfast_checker::contract::breaches;

use super::Violation;
use crate::torture::evidence::Evidence;

/// Every promise, of the run and when it was asked for again, is as the contract says.
pub(super) fn contents(evidence: &Evidence) -> Vec<Violation> {
    let of_run = evidence.histories.iter().filter_map(|history| {
        let answer = history.answer()?;
        Some((history.key.as_str(), answer))
    });
    let again = evidence.again.iter();
    let of_again = again.filter_map(|it| Some((it.key.as_str(), it.same.reply.answer()?)));
    let mut found = Vec::new();
    for (key, answer) in of_run.chain(of_again) {
        let lacks = breaches(answer);
        // What is none is told where answers are.
        if answer.is_promise() && !lacks.is_empty() {
            let detail = format!("key {key}: {}: {answer:?}", lacks.join(", "));
            found.push(Violation::new("a promise says what it must", detail));
        }
    }
    found
}
