//! What each answer of `/process` must be like, whatever was hurt (`/openapi.json` has it). Pure.

use uuid::Uuid;

use super::history::CallHistory;
use super::trial::{Answer, Breach};

/// What is wrong with an answer: a 200 carries its result, and says so where Postgres could not record it; a 202 has no result
/// yet, and says where and when to ask for it; both say where they are recorded; everything else is a problem that has a code,
/// and a refusal says when to come back, a 503 why.
pub fn breaches(answer: &Answer) -> Vec<&'static str> {
    let recorded = matches!(answer.recorded_in.as_deref(), Some("database" | "journal"));
    let promise = [
        (answer.request_id.is_some(), "no request_id"),
        (recorded, "no recorded_in"),
    ];
    let comes_back = (
        answer.retry_after.is_some_and(|seconds| seconds >= 1),
        "no Retry-After",
    );
    let coded = (answer.code.is_some(), "no code");
    let journalled = answer.recorded_in.as_deref() == Some("journal");
    let own: &[(bool, &'static str)] = match answer.status {
        200 => &[
            (answer.has_result, "no worker_response"),
            (
                !journalled || lacks(answer, "db_unavailable"),
                "no word of the database that could not record it",
            ),
        ],
        202 => &[
            (!answer.has_result, "a worker_response"),
            (
                answer.location == answer.request_id.map(place),
                "not its Location",
            ),
            comes_back,
        ],
        503 => &[
            coded,
            comes_back,
            // One that stops has all it needs, and no time.
            (
                !answer.degraded.is_empty() || answer.code.as_deref() == Some("draining"),
                "no degraded",
            ),
        ],
        429 => &[coded, comes_back],
        400..=499 => &[coded],
        _ => &[(false, "a status that no document knows")],
    };
    let promise = promise.iter().filter(|_| answer.is_promise());
    let broken = promise.chain(own).filter(|(kept, _)| !kept);
    broken.map(|(_, what)| *what).collect()
}

/// Of all answers, those too after which a client asked again.
pub fn of(histories: &[CallHistory]) -> Vec<Breach> {
    let answers = histories.iter().flat_map(|history| {
        let answers = history.attempts.iter().filter_map(|it| it.end.answer());
        answers.map(move |answer| (history.number, answer))
    });
    let breach = |(number, answer): (u64, &Answer)| {
        let found = breaches(answer);
        let what = format!("{} with {}", answer.status, found.join(", "));
        (!found.is_empty()).then_some(Breach { number, what })
    };
    answers.filter_map(breach).collect()
}

/// Whether it says that it had to do without this.
fn lacks(answer: &Answer, code: &str) -> bool {
    let mut degraded = answer.degraded.iter();
    degraded.any(|it| it.split(':').next() == Some(code))
}

fn place(id: Uuid) -> String {
    format!("/requests/{id}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::history::Attempt;
    use crate::trial::Completion;

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

    fn done() -> Answer {
        Answer {
            status: 200,
            request_id: Some(Uuid::nil()),
            has_result: true,
            recorded_in: Some("database".to_owned()),
            ..Answer::default()
        }
    }

    fn changed(mut answer: Answer, change: impl FnOnce(&mut Answer)) -> usize {
        change(&mut answer);
        breaches(&answer).len()
    }

    #[test]
    fn a_202_without_any_of_its_parts_is_broken() {
        assert!(breaches(&accepted()).is_empty());
        let broken: [fn(&mut Answer); 6] = [
            |it| it.has_result = true,
            |it| it.recorded_in = None,
            |it| it.location = None,
            |it| it.location = Some("/requests/other".to_owned()),
            |it| it.retry_after = None,
            |it| it.retry_after = Some(0),
        ];
        for change in broken {
            assert_eq!(changed(accepted(), change), 1);
        }
        // Then its Location cannot be its own either.
        assert_eq!(changed(accepted(), |it| it.request_id = None), 2);
    }

    #[test]
    fn a_200_has_its_id_and_its_result_and_says_where_it_is_recorded() {
        assert!(breaches(&done()).is_empty());
        assert_eq!(changed(done(), |it| it.has_result = false), 1);
        assert_eq!(changed(done(), |it| it.recorded_in = None), 1);
        assert_eq!(changed(done(), |it| it.request_id = None), 1);
        let in_the_journal = |it: &mut Answer| it.recorded_in = Some("journal".to_owned());
        assert_eq!(changed(done(), in_the_journal), 1);
        let and_says_so = |it: &mut Answer| {
            in_the_journal(it);
            it.degraded.push("db_unavailable:circuit_open".to_owned());
        };
        assert_eq!(changed(done(), and_says_so), 0);
    }

    #[test]
    fn a_refusal_has_a_code_says_when_to_come_back_and_a_503_why_unless_the_api_stops() {
        let refused = |status, code: Option<&str>| Answer {
            status,
            code: code.map(str::to_owned),
            retry_after: code.map(|_| 1),
            ..Answer::default()
        };
        assert_eq!(breaches(&refused(400, None)), ["no code"]);
        assert_eq!(breaches(&refused(429, None)), ["no code", "no Retry-After"]);
        let of_503 = ["no code", "no Retry-After", "no degraded"];
        assert_eq!(breaches(&refused(503, None)), of_503);
        for (status, code) in [(400, "bad_json"), (429, "quota"), (503, "draining")] {
            assert!(breaches(&refused(status, Some(code))).is_empty());
        }
        let overloaded = refused(503, Some("overloaded"));
        assert_eq!(breaches(&overloaded), ["no degraded"]);
        let shed = |it: &mut Answer| it.degraded.push("worker_unavailable:shed".to_owned());
        assert_eq!(changed(overloaded, shed), 0);
        assert_eq!(changed(done(), |it| it.status = 500), 1);
    }

    #[test]
    fn an_answer_after_which_the_client_asked_again_is_held_to_it_too() {
        let attempt = |answer| Attempt {
            api: 0,
            from: Duration::ZERO,
            to: Duration::ZERO,
            end: Completion::Answered(answer),
        };
        let bare = Answer {
            status: 500,
            ..Answer::default()
        };
        let history = CallHistory {
            number: 7,
            key: "7".to_owned(),
            intended: Duration::ZERO,
            surge: false,
            attempts: vec![attempt(bare), attempt(done())],
        };
        let found = of(&[history]);
        assert_eq!(found.iter().map(|it| it.number).collect::<Vec<_>>(), [7]);
    }
}
