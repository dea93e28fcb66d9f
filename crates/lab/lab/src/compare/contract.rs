//! Which answers of the resilient endpoint are documented: beside what holds of every answer, what a call without a key can be
//! told.

use holdfast_chaos::load::read;
use holdfast_checker::contract::breaches;
use holdfast_wire::{DegradedCode, Problem, ProblemCode, Processed, ProcessedStatus, RecordedIn};

use super::answer::Http;
use crate::stage::AdminClient;

/// What the API says of its journal: without a database, a refusal is documented only where that cannot take the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Journal {
    /// It can write.
    Writes,
    /// It cannot.
    CannotWrite,
    /// Its policies want none.
    None,
    /// The API did not say.
    Unknown,
}

impl Journal {
    pub(super) async fn of(probe: &AdminClient) -> Self {
        match probe.status().await.map(|status| status.journal) {
            Err(_) => Self::Unknown,
            Ok(None) => Self::None,
            Ok(Some(journal)) if journal.available => Self::Writes,
            Ok(Some(_)) => Self::CannotWrite,
        }
    }
}

/// What the answer had to do without, in words.
///
/// # Errors
/// What makes it no answer of the contract.
pub(super) fn documented(http: &Http, journal: Journal) -> Result<String, &'static str> {
    const STRANGE: &str = "not an answer it documents";
    let answer = read(http.status, &http.headers, http.body.as_bytes());
    if let Some(breach) = breaches(&answer).first() {
        return Err(breach);
    }
    match http.status {
        200 | 202 => {
            let body: Processed = serde_json::from_str(&http.body).map_err(|_| STRANGE)?;
            let codes = body.degraded.iter().map(|entry| entry.code.as_str());
            let codes: Vec<&str> = codes.collect();
            agrees(http.status, &body)
                .then(|| codes.join(" + "))
                .ok_or(STRANGE)
        }
        429 | 503 => {
            let body: Problem = serde_json::from_str(&http.body).map_err(|_| STRANGE)?;
            refusal(http.status, body.code, journal)
        }
        _ => Err(STRANGE),
    }
}

/// Why there is no promise.
fn refusal(status: u16, code: ProblemCode, journal: Journal) -> Result<String, &'static str> {
    let cause = match (status, code, journal) {
        (429, ProblemCode::QuotaExceeded, _) => "this client asks for more than its share",
        (503, ProblemCode::Overloaded, _) => "it takes on no more",
        (503, ProblemCode::DbUnavailable, Journal::CannotWrite) => "its journal cannot write",
        (503, ProblemCode::DbUnavailable, Journal::None) => "its policies want no journal",
        (503, ProblemCode::DbUnavailable, Journal::Writes) => {
            return Err("a refusal although its journal can write");
        }
        (503, ProblemCode::DbUnavailable, Journal::Unknown) => {
            return Err("a refusal, and it does not say how its journal is");
        }
        _ => return Err("a refusal with a code it does not document here"),
    };
    Ok(format!("{}, no promise: {cause},", code.as_str()))
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
}
