//! Answers as they look, made of the wire types: what does not fit the contract does not compile.

use holdfast_wire::{
    Degraded, DegradedCode, JsonText, NaiveProcessed, Problem, ProblemCode, Processed,
    ProcessedStatus, Reason, RecordedIn, Request, RequestStatus,
};
use jiff::Timestamp;
use uuid::Uuid;

use super::super::problem::row;

const ID: Uuid = Uuid::from_u128(0x0198_c0de_0000_7000_8000_0000_0000_0001);

/// `/process` with all well, and without the database.
pub(super) fn done() -> [(&'static str, Processed); 2] {
    let whole = processed(Some(work()), RecordedIn::Database, vec![]);
    let journalled = processed(Some(work()), RecordedIn::Journal, vec![no_database()]);
    [
        ("everything works", whole),
        ("the database is down", journalled),
    ]
}

/// `/process` without the worker, and without both.
pub(super) fn deferred() -> [(&'static str, Processed); 2] {
    let both = vec![no_worker(), no_database()];
    [
        (
            "the worker is down",
            processed(None, RecordedIn::Database, vec![no_worker()]),
        ),
        ("both are down", processed(None, RecordedIn::Journal, both)),
    ]
}

pub(super) fn naive() -> NaiveProcessed {
    NaiveProcessed {
        worker_response: work(),
        latency_seconds: 2.01,
    }
}

pub(super) fn request() -> Request {
    Request {
        request_id: ID,
        status: RequestStatus::Received,
        worker_response: None,
        attempts: 0,
        error: None,
        received_at: Timestamp::UNIX_EPOCH,
        completed_at: None,
    }
}

pub(super) fn cancelled() -> Request {
    Request {
        status: RequestStatus::Cancelled,
        completed_at: Some(Timestamp::UNIX_EPOCH),
        ..request()
    }
}

pub(super) fn problem(code: ProblemCode) -> Problem {
    let (status, title) = row(code);
    Problem {
        kind: Problem::kind_of(code),
        title: title.to_owned(),
        status: status.as_u16(),
        detail: "what is wrong with this request, and the cure".to_owned(),
        code,
        request_id: ID,
        degraded: (status == 503).then(|| missing(code).into_iter().collect()),
    }
}

fn missing(code: ProblemCode) -> Option<Degraded> {
    match code {
        ProblemCode::WorkerUnavailable => Some(no_worker()),
        ProblemCode::DbUnavailable => Some(no_database()),
        ProblemCode::Overloaded => Some(Degraded {
            code: DegradedCode::Overloaded,
            reason: Reason::BulkheadFull,
            detail: "the service has as many calls under way as it takes on".to_owned(),
            attempts: 0,
            elapsed_seconds: 0.0,
            retry_after_seconds: 1.0,
        }),
        _ => None,
    }
}

fn processed(
    worker_response: Option<JsonText>,
    recorded_in: RecordedIn,
    degraded: Vec<Degraded>,
) -> Processed {
    Processed {
        request_id: ID,
        status: if degraded.is_empty() {
            ProcessedStatus::Ok
        } else {
            ProcessedStatus::Degraded
        },
        latency_seconds: if worker_response.is_some() {
            2.01
        } else {
            0.28
        },
        worker_response,
        recorded_in,
        degraded,
    }
}

fn work() -> JsonText {
    JsonText::parse(r#"{"status":"done"}"#.to_owned()).unwrap_or_else(|_| JsonText::null())
}

fn no_worker() -> Degraded {
    Degraded {
        code: DegradedCode::WorkerUnavailable,
        reason: Reason::ConnectRefused,
        detail: "the worker refuses connections".to_owned(),
        attempts: 3,
        elapsed_seconds: 0.279,
        retry_after_seconds: 5.974,
    }
}

fn no_database() -> Degraded {
    Degraded {
        code: DegradedCode::DbUnavailable,
        reason: Reason::CircuitOpen,
        detail:
            "the database failed too often lately: calls are held back until it is probed again"
                .to_owned(),
        attempts: 0,
        elapsed_seconds: 0.0,
        retry_after_seconds: 1.4,
    }
}
