//! What `/process` answered, taken apart.

use holdfast_wire::{Degraded, DegradedCode, Problem, Processed, Reason};
use reqwest::{Response, StatusCode};

/// What `/process` answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) location: Option<String>,
    pub(crate) retry_after: Option<u64>,
    pub(crate) is_replay: bool,
    pub(crate) body: Body,
}

#[derive(Debug)]
pub(crate) enum Body {
    Processed(Processed),
    Problem(Problem),
}

impl Answer {
    pub(crate) async fn read(response: Response) -> Self {
        let status = response.status();
        let header = |name: &str| Some(response.headers().get(name)?.to_str().unwrap().to_owned());
        let location = header("location");
        let retry_after = header("retry-after").map(|seconds| seconds.parse().unwrap());
        let is_replay = header("idempotent-replayed").as_deref() == Some("true");
        let body = if status.is_success() {
            Body::Processed(response.json().await.unwrap())
        } else {
            assert_eq!(
                header("content-type").as_deref(),
                Some("application/problem+json")
            );
            Body::Problem(response.json().await.unwrap())
        };
        Self {
            status,
            location,
            retry_after,
            is_replay,
            body,
        }
    }

    pub(crate) fn processed(&self) -> &Processed {
        match &self.body {
            Body::Processed(body) => body,
            Body::Problem(problem) => panic!("a problem: {problem:?}"),
        }
    }

    pub(crate) fn problem(&self) -> &Problem {
        match &self.body {
            Body::Problem(problem) => problem,
            Body::Processed(body) => panic!("no problem: {body:?}"),
        }
    }

    pub(crate) fn degraded(&self) -> &[Degraded] {
        match &self.body {
            Body::Processed(body) => &body.degraded,
            Body::Problem(problem) => problem.degraded.as_deref().unwrap(),
        }
    }

    /// The reason given for `code`.
    pub(crate) fn reason(&self, code: DegradedCode) -> Reason {
        let entry = self.degraded().iter().find(|entry| entry.code == code);
        entry
            .unwrap_or_else(|| panic!("no {code} in {self:?}"))
            .reason
    }
}
