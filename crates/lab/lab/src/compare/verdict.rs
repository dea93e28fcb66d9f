//! Who held and who fell, from what came back and nothing else.

use std::fmt;

use holdfast_checker::measure::GRACE;

use super::answer::{Answer, Http, Seconds};
use super::contract::{Journal, documented};
use crate::output::{Console, Tone};

/// The judgement on one side, with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    word: &'static str,
    because: String,
    /// Whether the side did what a client can rely on.
    pub(crate) held: bool,
}

impl Verdict {
    /// The naive side promises nothing: it answers, or it falls, or it hangs.
    pub(super) fn of_naive(answer: &Answer) -> Self {
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

    /// The resilient side holds if it answers as documented within `bound` seconds; a refusal, if `journal` allows it.
    pub(super) fn of_resilient(answer: &Answer, bound: f64, journal: Journal) -> Self {
        match answer {
            Answer::Http(http) => match documented(http, journal) {
                Ok(_) if http.seconds > bound + GRACE.as_secs_f64() => Self::new(
                    "fell",
                    false,
                    format!("{}, above its bound of {bound} s", short(http)),
                ),
                Ok(what) => Self::new("held", true, explained(http, &what)),
                Err(problem) => Self::new("fell", false, format!("{}, {problem}", short(http))),
            },
            unanswered => Self {
                held: false,
                ..Self::of_naive(unanswered)
            },
        }
    }

    /// How it is to be shown.
    pub(super) fn tone(&self) -> Tone {
        if self.held { Tone::Good } else { Tone::Bad }
    }

    /// As it is shown.
    pub(crate) fn painted(&self, console: Console) -> String {
        console.paint(self.tone(), self).to_string()
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

fn short(http: &Http) -> String {
    format!("{} in {}", http.status, Seconds(http.seconds))
}

fn explained(http: &Http, what: &str) -> String {
    let again = http
        .header("retry-after")
        .map(|seconds| format!(", come back in {seconds} s"));
    let space = if what.is_empty() { "" } else { " " };
    format!(
        "{}{space}{what} in {}{}",
        http.status,
        Seconds(http.seconds),
        again.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;

    use super::*;

    fn http(status: u16, headers: &[(&str, &str)], body: &str, seconds: f64) -> Answer {
        let header = |(name, value): &(&str, &str)| (name.parse().unwrap(), value.parse().unwrap());
        let headers: HeaderMap = headers.iter().map(header).collect();
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

    fn judge(answer: &Answer) -> Verdict {
        Verdict::of_resilient(answer, 7.5, Journal::Writes)
    }

    const RESULT: &str = r#"{"status":"done"}"#;
    const PLACE: &str = "/requests/0198c0de-0000-7000-8000-000000000000";
    const ACCEPTED: [(&str, &str); 2] = [("location", PLACE), ("retry-after", "4")];

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
        let verdict = judge(&http(202, &ACCEPTED, &accepted(), 0.21));
        assert_eq!(
            verdict.to_string(),
            "held (202 worker_unavailable in 0.21 s, come back in 4 s)"
        );
        assert!(verdict.held);
    }

    #[test]
    fn an_answer_above_the_bound_falls() {
        assert!(judge(&http(200, &[], &done(), 7.79)).held);
        let verdict = judge(&http(200, &[], &done(), 7.81));
        assert_eq!(
            verdict.to_string(),
            "fell (200 in 7.81 s, above its bound of 7.5 s)"
        );
    }

    #[test]
    fn a_refusal_holds_only_as_a_documented_problem_with_a_documented_cause() {
        let problem = |code: &str| {
            format!(
                r#"{{"type":"urn:holdfast:problem:{code}","title":"t","status":503,"detail":"d","code":"{code}",
                "request_id":"0198c0de-0000-7000-8000-000000000000","degraded":[{}]}}"#,
                lack("db_unavailable")
            )
        };
        let judged = |status, body: &str, journal| {
            let answer = http(status, &[("retry-after", "1")], body, 0.1);
            Verdict::of_resilient(&answer, 7.5, journal)
        };
        let no_database = problem("db_unavailable");
        for journal in [Journal::CannotWrite, Journal::None] {
            assert!(judged(503, &no_database, journal).held);
        }
        for journal in [Journal::Writes, Journal::Unknown] {
            assert!(!judged(503, &no_database, journal).held);
        }
        let cannot = judged(503, &no_database, Journal::CannotWrite).to_string();
        assert!(cannot.contains("its journal cannot write"), "{cannot}");
        let busy = judged(503, &problem("overloaded"), Journal::Writes);
        assert!(busy.held && busy.to_string().contains("overloaded"));
        let share = judged(429, &problem("quota-exceeded"), Journal::Writes);
        assert!(
            share.held && share.to_string().contains("its share"),
            "{share}"
        );
        assert!(!judged(503, &problem("quota-exceeded"), Journal::Writes).held);
        assert!(!judged(503, &problem("internal"), Journal::CannotWrite).held);
        assert!(!judged(503, "Service Unavailable", Journal::CannotWrite).held);
        assert!(!judged(500, &no_database, Journal::CannotWrite).held);
    }

    #[test]
    fn an_acceptance_without_a_time_to_come_back_falls() {
        let verdict = judge(&http(202, &ACCEPTED[..1], &accepted(), 0.1));
        assert_eq!(verdict.to_string(), "fell (202 in 0.10 s, no Retry-After)");
    }

    #[test]
    fn no_answer_falls() {
        assert!(!judge(&Answer::Silence { cut_after: 8.5 }).held);
        let refused = Answer::Broken {
            problem: "refused".to_owned(),
            seconds: 0.0,
        };
        assert!(!judge(&refused).held);
    }

    #[test]
    fn without_the_database_the_promise_is_in_the_journal_and_without_both_it_is_an_acceptance() {
        let holds = |status, body: String| {
            let headers = &ACCEPTED[..if status == 202 { 2 } else { 0 }];
            judge(&http(status, headers, &body, 0.1)).held
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
