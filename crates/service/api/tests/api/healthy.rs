//! All is well.

use std::time::Duration;

use holdfast_wire::{ProcessedStatus, RecordedIn, Request, RequestList, RequestStatus};
use serde_json::{Value, json};

use crate::support::{Answer, System, done};

#[tokio::test]
async fn process_answers_with_the_workers_result_recorded_in_the_database() {
    let system = System::with("", Duration::from_millis(200)).await;
    let answer = system.api.process().await;
    let body = answer.processed();
    assert_eq!(answer.status, 200);
    assert_eq!(body.status, ProcessedStatus::Ok);
    assert_eq!(body.worker_response, Some(done()));
    assert_eq!(body.recorded_in, RecordedIn::Database);
    assert!(body.degraded.is_empty());
    assert!(
        (0.2..5.0).contains(&body.latency_seconds),
        "{}",
        body.latency_seconds
    );

    let path = format!("/requests/{}", body.request_id);
    let request: Request = system.api.get(&path).await.json().await.unwrap();
    assert_eq!(request.status, RequestStatus::Done);
    assert_eq!(request.worker_response, Some(done()));
    assert_eq!(request.attempts, 1);
    assert!(request.completed_at.unwrap() > request.received_at);
}

#[tokio::test]
async fn the_naive_endpoint_answers_exactly_the_two_fields_of_the_course() {
    let system = System::start().await;
    let body: Value = system.api.get("/naive/process").await.json().await.unwrap();
    assert_eq!(body.as_object().unwrap().len(), 2);
    assert!(body["latency_seconds"].as_f64().unwrap() >= 0.05);
    assert_eq!(body["worker_response"], json!({"status": "done"}));
}

#[tokio::test]
async fn a_body_is_stored_as_it_was_received() {
    let system = System::start().await;
    let sent = r#"{"b": 1,   "a": "\u0000", "b": 2}"#;
    let answer = Answer::read(system.api.post("/process", sent).await).await;
    let id = answer.processed().request_id;
    let query = "SELECT payload::text, origin FROM requests WHERE id = $1";
    let row = system.sql().await.query_one(query, &[&id]).await.unwrap();
    assert_eq!(row.get::<_, String>(0), sent);
    assert_eq!(row.get::<_, String>(1), "resilient");
}

#[tokio::test]
async fn requests_lists_the_newest_first_and_leaves_the_naive_ones_out() {
    let system = System::start().await;
    let first = system.api.process().await.processed().request_id;
    assert_eq!(system.api.get("/naive/process").await.status(), 200);
    let second = system.api.process().await.processed().request_id;

    let list: RequestList = system.api.get("/requests").await.json().await.unwrap();
    let ids: Vec<_> = list
        .requests
        .iter()
        .map(|request| request.request_id)
        .collect();
    assert_eq!((list.total, ids), (2, vec![second, first]));

    let page: RequestList = system
        .api
        .get("/requests?status=done&limit=1")
        .await
        .json()
        .await
        .unwrap();
    assert_eq!((page.total, page.requests.len()), (2, 1));
    assert_eq!(page.requests[0].request_id, second);
    let open: RequestList = system
        .api
        .get("/requests?status=received")
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(open.total, 0);
}

#[tokio::test]
async fn ten_calls_for_every_session_all_succeed() {
    let system = System::with("database.pool.max_size = 4", Duration::ZERO).await;
    system.api.becomes_healthy().await;
    let calls = (0..40).map(|_| system.api.get("/process"));
    for response in futures_util::future::join_all(calls).await {
        let answer = Answer::read(response).await;
        assert_eq!(answer.status, 200);
        assert!(answer.degraded().is_empty(), "{answer:?}");
    }
}

#[tokio::test]
async fn a_path_that_is_written_otherwise_counts_under_its_route() {
    let system = System::start().await;
    assert_eq!(system.api.get("/%70rocess").await.status(), 200);
    let series = "http_server_request_duration_seconds_count{http_request_method=\"GET\",\
        http_response_status_code=\"200\",http_route=\"/process\",url_scheme=\"http\"}";
    assert_eq!(system.api.metrics().await.count(series), 1);
}
