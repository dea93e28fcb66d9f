//! What a promise says of itself.

use uuid::Uuid;

use super::Violation;
use crate::load::Answer;
use crate::torture::evidence::Evidence;

/// A 200 carries its result; a 202 has none yet, and says where and when to ask for it; both say where they are recorded.
pub(super) fn contents(evidence: &Evidence) -> Vec<Violation> {
    let of_run = evidence.outcomes.iter().filter_map(|outcome| {
        let answer = outcome.answer()?;
        Some((outcome.key.as_str(), answer))
    });
    let of_again = evidence
        .again
        .iter()
        .filter_map(|again| Some((again.key.as_str(), again.same.reply.answer()?)));
    let mut found = Vec::new();
    for (key, answer) in of_run.chain(of_again) {
        let lacks = lacks(answer);
        if !lacks.is_empty() {
            let detail = format!("key {key}: {}: {answer:?}", lacks.join(", "));
            found.push(Violation::new("a promise says what it must", detail));
        }
    }
    found
}

/// What is wrong with it.
fn lacks(answer: &Answer) -> Vec<&'static str> {
    let recorded = matches!(answer.recorded_in.as_deref(), Some("database" | "journal"));
    let rules: &[(bool, &'static str)] = match answer.status {
        200 => &[
            (answer.has_result, "no worker_response"),
            (recorded, "no recorded_in"),
        ],
        202 => &[
            (!answer.has_result, "a worker_response"),
            (recorded, "no recorded_in"),
            (
                answer.location == answer.request_id.map(place),
                "not its Location",
            ),
            (
                answer.retry_after.is_some_and(|seconds| seconds >= 1),
                "no Retry-After",
            ),
        ],
        _ => &[],
    };
    let broken = rules.iter().filter(|(kept, _)| !kept);
    broken.map(|(_, what)| *what).collect()
}

fn place(id: Uuid) -> String {
    format!("/requests/{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted() -> Answer {
        Answer {
            status: 202,
            request_id: Some(Uuid::nil()),
            recorded_in: Some("journal".to_owned()),
            location: Some(place(Uuid::nil())),
            retry_after: Some(1),
            ..Answer::default()
        }
    }

    fn changed(answer: Answer, change: impl FnOnce(&mut Answer)) -> Vec<&'static str> {
        let mut answer = answer;
        change(&mut answer);
        lacks(&answer)
    }

    #[test]
    fn a_202_without_any_of_its_parts_is_broken() {
        assert!(lacks(&accepted()).is_empty());
        let broken: [fn(&mut Answer); 6] = [
            |it| it.has_result = true,
            |it| it.recorded_in = None,
            |it| it.location = None,
            |it| it.location = Some("/requests/other".to_owned()),
            |it| it.retry_after = None,
            |it| it.retry_after = Some(0),
        ];
        for change in broken {
            assert_eq!(changed(accepted(), change).len(), 1);
        }
    }

    #[test]
    fn a_200_has_its_result_and_a_refusal_needs_nothing() {
        let done = || Answer {
            status: 200,
            has_result: true,
            recorded_in: Some("database".to_owned()),
            ..Answer::default()
        };
        assert!(lacks(&done()).is_empty());
        assert_eq!(changed(done(), |it| it.has_result = false).len(), 1);
        assert_eq!(changed(done(), |it| it.recorded_in = None).len(), 1);
        assert!(changed(Answer::default(), |it| it.status = 503).is_empty());
    }
}
