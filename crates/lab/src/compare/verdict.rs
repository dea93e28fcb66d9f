//! Who held and who fell, from what came back and nothing else.

use std::fmt;

use holdfast_wire::{Degraded, DegradedCode, Problem, Processed, ProcessedStatus, RecordedIn};

use super::answer::{Answer, Http, Seconds};
use crate::output::Tone;

/// What the machine itself may add to the published bound, in seconds.
const MACHINE: f64 = 0.3;

/// The judgement on one side, with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    word: &'static str,
    because: String,
    /// Whether the side did what a client can rely on.
    pub held: bool,
}

impl Verdict {
    /// The naive side promises nothing: it answers, or it falls, or it hangs.
    #[must_use]
    pub fn of_naive(answer: &Answer) -> Self {
        match answer {
            Answer::Http(http) if http.status == 200 => Self::new("answered", true, short(http)),
            Answer::Http(http) => Self::new("fell", false, short(http)),
            Answer::Silence { cut_after } => {
                Self::new("hung", false, format!("no answer in {cut_after} s"))
            }
            Answer::Broken { problem, seconds } => Self::new(
                "fell",
                false,
                format!("{problem} after {}", Seconds(*seconds)),
            ),
        }
    }

    /// The resilient side holds if it answers as documented within `bound` seconds.
    #[must_use]
    pub fn of_resilient(answer: &Answer, bound: f64) -> Self {
        match answer {
            Answer::Http(http) => match documented(http) {
                Some(_) if http.seconds > bound + MACHINE => Self::new(
                    "fell",
                    false,
                    format!("{}, above its bound of {bound} s", short(http)),
                ),
                Some(degraded) => Self::new("held", true, explained(http, &degraded)),
                None => Self::new(
                    "fell",
                    false,
                    format!("{}, not an answer it documents", short(http)),
                ),
            },
            unanswered => Self {
                held: false,
                ..Self::of_naive(unanswered)
            },
        }
    }

    /// How it is to be shown.
    #[must_use]
    pub fn tone(&self) -> Tone {
        if self.held { Tone::Good } else { Tone::Bad }
    }

    fn new(word: &'static str, held: bool, because: String) -> Self {
        Self {
            word,
            because,
            held,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.word, self.because)
    }
}

/// What the answer had to do without; none: it is not an answer of the contract.
fn documented(http: &Http) -> Option<Vec<Degraded>> {
    match http.status {
        200 | 202 => {
            let body: Processed = serde_json::from_str(&http.body).ok()?;
            let promised = http.status == 200 || http.header("location").is_some();
            (promised && agrees(http.status, &body)).then_some(body.degraded)
        }
        503 => {
            let body: Problem = serde_json::from_str(&http.body).ok()?;
            Some(body.degraded.unwrap_or_default())
        }
        _ => None,
    }
}

/// Whether the parts of a promise go together: what was missing decides the status, and where the promise is durable.
fn agrees(status: u16, body: &Processed) -> bool {
    let lacks = |code| body.degraded.iter().any(|entry| entry.code == code);
    let expected_status = if body.degraded.is_empty() {
        ProcessedStatus::Ok
    } else {
        ProcessedStatus::Degraded
    };
    let expected_place = if lacks(DegradedCode::DbUnavailable) {
        RecordedIn::Journal
    } else {
        RecordedIn::Database
    };
    body.status == expected_status
        && body.recorded_in == expected_place
        && (status == 202) == lacks(DegradedCode::WorkerUnavailable)
        && (status == 202) == body.worker_response.is_none()
}

fn short(http: &Http) -> String {
    format!("{} in {}", http.status, Seconds(http.seconds))
}

fn explained(http: &Http, degraded: &[Degraded]) -> String {
    let codes: Vec<&str> = degraded.iter().map(|entry| entry.code.as_str()).collect();
    let codes = if codes.is_empty() {
        String::new()
    } else {
        format!(" {}", codes.join(" + "))
    };
    let again = http
        .header("retry-after")
        .map(|seconds| format!(", come back in {seconds} s"));
    format!(
        "{}{codes} in {}{}",
        http.status,
        Seconds(http.seconds),
        again.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http(status: u16, headers: &[(&str, &str)], body: &str, seconds: f64) -> Answer {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Answer::Http(Http {
            status,
            phrase: String::new(),
            headers,
            body: body.to_owned(),
            seconds,
        })
    }

    fn body(status: &str, response: &str, place: &str, degraded: &str) -> String {
        format!(
            r#"{{"request_id":"0198c0de-0000-7000-8000-000000000000","status":"{status}","worker_response":{response},
                "latency_seconds":0.2,"recorded_in":"{place}","degraded":[{degraded}]}}"#
        )
    }

    fn done() -> String {
        body("ok", RESULT, "database", "")
    }

    fn accepted() -> String {
        body("degraded", "null", "database", &lack("worker_unavailable"))
    }

    fn lack(code: &str) -> String {
        format!(
            r#"{{"code":"{code}","reason":"circuit_open","detail":"d","attempts":0,"elapsed_seconds":0.0,
                "retry_after_seconds":3.2}}"#
        )
    }

    const RESULT: &str = r#"{"status":"done"}"#;
    const ACCEPTED: [(&str, &str); 2] = [("location", "/requests/1"), ("retry-after", "4")];

    #[test]
    fn the_naive_side_answers_falls_or_hangs() {
        let verdict = |answer| Verdict::of_naive(&answer).to_string();
        assert_eq!(
            verdict(http(200, &[], "", 2.013)),
            "answered (200 in 2.01 s)"
        );
        assert_eq!(verdict(http(500, &[], "", 0.012)), "fell (500 in 0.01 s)");
        assert_eq!(
            verdict(Answer::Silence { cut_after: 8.5 }),
            "hung (no answer in 8.5 s)"
        );
    }

    #[test]
    fn a_degraded_answer_in_time_holds_and_says_when_to_come_back() {
        let verdict = Verdict::of_resilient(&http(202, &ACCEPTED, &accepted(), 0.21), 7.5);
        assert_eq!(
            verdict.to_string(),
            "held (202 worker_unavailable in 0.21 s, come back in 4 s)"
        );
        assert!(verdict.held);
    }

    #[test]
    fn an_answer_above_the_bound_falls() {
        assert!(Verdict::of_resilient(&http(200, &[], &done(), 7.79), 7.5).held);
        let verdict = Verdict::of_resilient(&http(200, &[], &done(), 7.81), 7.5);
        assert_eq!(
            verdict.to_string(),
            "fell (200 in 7.81 s, above its bound of 7.5 s)"
        );
    }

    #[test]
    fn a_refusal_holds_only_as_a_documented_problem() {
        let problem = r#"{"type":"urn:holdfast:problem:db_unavailable","title":"t","status":503,"detail":"d",
            "code":"db_unavailable","request_id":"0198c0de-0000-7000-8000-000000000000"}"#;
        assert!(Verdict::of_resilient(&http(503, &[], problem, 0.1), 7.5).held);
        assert!(!Verdict::of_resilient(&http(503, &[], "Service Unavailable", 0.1), 7.5).held);
        assert!(!Verdict::of_resilient(&http(500, &[], problem, 0.1), 7.5).held);
    }

    #[test]
    fn an_acceptance_without_a_place_to_ask_for_it_falls() {
        assert!(!Verdict::of_resilient(&http(202, &[], &accepted(), 0.1), 7.5).held);
    }

    #[test]
    fn no_answer_falls() {
        assert!(!Verdict::of_resilient(&Answer::Silence { cut_after: 8.5 }, 7.5).held);
        let refused = Answer::Broken {
            problem: "refused".to_owned(),
            seconds: 0.0,
        };
        assert!(!Verdict::of_resilient(&refused, 7.5).held);
    }

    #[test]
    fn without_the_database_the_promise_is_in_the_journal_and_without_both_it_is_an_acceptance() {
        let holds = |status, body: String| {
            let headers = &ACCEPTED[..if status == 202 { 2 } else { 0 }];
            Verdict::of_resilient(&http(status, headers, &body, 0.1), 7.5).held
        };
        let database = lack("db_unavailable");
        let both = format!("{},{database}", lack("worker_unavailable"));
        assert!(holds(200, body("degraded", RESULT, "journal", &database)));
        assert!(holds(202, body("degraded", "null", "journal", &both)));
        assert!(!holds(200, body("degraded", RESULT, "database", &database)));
        assert!(!holds(200, body("ok", RESULT, "journal", "")));
        assert!(!holds(200, body("ok", RESULT, "database", &database)));
        assert!(!holds(202, body("degraded", "null", "journal", &database)));
        assert!(!holds(200, body("degraded", "null", "journal", &both)));
    }
}
