//! The bytes of the contract, pinned.

#![allow(clippy::unwrap_used, reason = "a test says bluntly what it expects")]

use holdfast_wire::{
    Breaker, Database, Degraded, DegradedCode, Dependencies, Dependency, Endpoint, Journal,
    JsonText, NaiveProcessed, Problem, ProblemCode, Processed, ProcessedStatus, Reason, RecordedIn,
    Recovery, Request, RequestList, RequestStatus, Schema, Status, Worker,
};
use insta::assert_snapshot;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

const ID: Uuid = Uuid::from_u128(0x0198_c0de_0000_7000_8000_0000_0000_0001);

fn work() -> JsonText {
    JsonText::parse(r#"{"status":"done"}"#.to_owned()).unwrap()
}

/// The body as it is sent, on lines of its own.
fn body(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

fn degraded() -> Degraded {
    Degraded {
        code: DegradedCode::WorkerUnavailable,
        reason: Reason::CircuitOpen,
        detail: "the breaker is open".to_owned(),
        attempts: 0,
        elapsed_seconds: 0.0,
        retry_after_seconds: 4.2,
    }
}

fn dependency() -> Dependency {
    Dependency {
        breaker: Breaker::HalfOpen,
        failure_rate: Some(0.5),
        slow_call_rate: None,
        in_flight: 1,
        limit: 640,
        retry_budget: 1.1,
        retry_after_seconds: None,
        last_error: Some(Reason::ConnectRefused),
        opened_because: Some("3 failures in a row".to_owned()),
    }
}

#[test]
fn the_naive_answer_has_exactly_the_two_fields_of_the_course() {
    assert_snapshot!(body(&NaiveProcessed { worker_response: work(), latency_seconds: 2.01 }), @r#"
    {
      "worker_response": {"status":"done"},
      "latency_seconds": 2.01
    }
    "#);
}

#[test]
fn a_healthy_answer_carries_an_empty_degraded_list() {
    assert_snapshot!(body(&Processed {
        request_id: ID,
        status: ProcessedStatus::Ok,
        worker_response: Some(work()),
        latency_seconds: 2.01,
        recorded_in: RecordedIn::Database,
        degraded: vec![],
    }), @r#"
    {
      "request_id": "0198c0de-0000-7000-8000-000000000001",
      "status": "ok",
      "worker_response": {"status":"done"},
      "latency_seconds": 2.01,
      "recorded_in": "database",
      "degraded": []
    }
    "#);
}

#[test]
fn a_degraded_answer_says_what_why_and_when_to_come_back() {
    assert_snapshot!(body(&Processed {
        request_id: ID,
        status: ProcessedStatus::Degraded,
        worker_response: None,
        latency_seconds: 0.01,
        recorded_in: RecordedIn::Journal,
        degraded: vec![degraded()],
    }), @r#"
    {
      "request_id": "0198c0de-0000-7000-8000-000000000001",
      "status": "degraded",
      "worker_response": null,
      "latency_seconds": 0.01,
      "recorded_in": "journal",
      "degraded": [
        {
          "code": "worker_unavailable",
          "reason": "circuit_open",
          "detail": "the breaker is open",
          "attempts": 0,
          "elapsed_seconds": 0.0,
          "retry_after_seconds": 4.2
        }
      ]
    }
    "#);
}

#[test]
fn a_problem_carries_the_degraded_list_only_on_503() {
    let mut problem = Problem {
        kind: Problem::kind_of(ProblemCode::InvalidId),
        title: "Invalid request id".to_owned(),
        status: 400,
        detail: "not a UUID".to_owned(),
        code: ProblemCode::InvalidId,
        request_id: ID,
        degraded: None,
    };
    assert_snapshot!(body(&problem), @r#"
    {
      "type": "urn:holdfast:problem:invalid_id",
      "title": "Invalid request id",
      "status": 400,
      "detail": "not a UUID",
      "code": "invalid_id",
      "request_id": "0198c0de-0000-7000-8000-000000000001"
    }
    "#);
    problem.degraded = Some(vec![degraded()]);
    assert!(serde_json::to_value(&problem).unwrap()["degraded"].is_array());
}

#[test]
fn a_request_and_its_list_read_back_as_written() {
    let list = RequestList {
        total: 1,
        requests: vec![Request {
            request_id: ID,
            status: RequestStatus::Received,
            worker_response: None,
            attempts: 0,
            error: None,
            received_at: "2026-01-02T03:04:05Z".parse().unwrap(),
            completed_at: None,
        }],
    };
    assert_snapshot!(body(&list), @r#"
    {
      "total": 1,
      "requests": [
        {
          "request_id": "0198c0de-0000-7000-8000-000000000001",
          "status": "received",
          "worker_response": null,
          "attempts": 0,
          "error": null,
          "received_at": "2026-01-02T03:04:05Z",
          "completed_at": null
        }
      ]
    }
    "#);
    let read: RequestList = serde_json::from_value(serde_json::to_value(&list).unwrap()).unwrap();
    assert_eq!(read, list);
}

fn worker() -> Worker {
    Worker {
        dependency: dependency(),
        endpoints: vec![Endpoint {
            address: "http://10.1.2.3:8081".to_owned(),
            breaker: Breaker::Closed,
            ejected: false,
            latency_seconds: Some(2.01),
        }],
    }
}

fn status() -> Status {
    Status {
        ready: true,
        dependencies: Dependencies {
            worker: worker(),
            database: Database {
                dependency: dependency(),
                schema: Schema::Current,
            },
        },
        journal: Some(Journal {
            available: true,
            entries: 2,
            bytes: 1024,
            oldest_seconds: Some(1.5),
            quarantined: 0,
        }),
        recovery: Recovery {
            in_flight: 1,
            limit: 4,
            replayed_per_second: 0.2,
            finished_per_second: 2.0,
        },
        oldest_open_seconds: Some(4.5),
        open_work: Some(3),
    }
}

#[test]
fn status_names_each_dependency_once() {
    let status = status();
    assert_snapshot!(body(&status), @r#"
    {
      "ready": true,
      "dependencies": {
        "worker": {
          "breaker": "half_open",
          "failure_rate": 0.5,
          "slow_call_rate": null,
          "in_flight": 1,
          "limit": 640,
          "retry_budget": 1.1,
          "retry_after_seconds": null,
          "last_error": "connect_refused",
          "opened_because": "3 failures in a row",
          "endpoints": [
            {
              "address": "http://10.1.2.3:8081",
              "breaker": "closed",
              "ejected": false,
              "latency_seconds": 2.01
            }
          ]
        },
        "database": {
          "breaker": "half_open",
          "failure_rate": 0.5,
          "slow_call_rate": null,
          "in_flight": 1,
          "limit": 640,
          "retry_budget": 1.1,
          "retry_after_seconds": null,
          "last_error": "connect_refused",
          "opened_because": "3 failures in a row",
          "schema": "current"
        }
      },
      "journal": {
        "available": true,
        "entries": 2,
        "bytes": 1024,
        "oldest_seconds": 1.5,
        "quarantined": 0
      },
      "recovery": {
        "in_flight": 1,
        "limit": 4,
        "replayed_per_second": 0.2,
        "finished_per_second": 2.0
      },
      "oldest_open_seconds": 4.5,
      "open_work": 3
    }
    "#);
}

#[test]
fn every_code_is_written_as_it_is_named() {
    for code in ProblemCode::ALL {
        assert_eq!(serde_json::to_value(code).unwrap(), json!(code.as_str()));
    }
    for reason in Reason::ALL {
        assert_eq!(
            serde_json::to_value(reason).unwrap(),
            json!(reason.as_str())
        );
    }
}
