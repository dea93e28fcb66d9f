//! What the worker is told of each call: the client's trace, and what is left of the deadline.

use std::net::SocketAddr;
use std::time::Duration;

use holdfast_testbed::postgres::Cluster;
use holdfast_wire::RequestStatus;

use crate::support::{Answer, Api, CountingWorker, TestConfig};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// A healthy API before `worker`.
async fn api(worker: &CountingWorker) -> (Api, Cluster) {
    let cluster = Cluster::start().await.unwrap();
    let database = SocketAddr::from(([127, 0, 0, 1], cluster.port()));
    let api = Api::start(TestConfig::new(&worker.url(), database, ""));
    (api, cluster)
}

/// Calls `path` with these headers and returns the answer's trace.
async fn trace_of_answer(api: &Api, path: &str, headers: &[(&str, &str)]) -> String {
    let request = api.request("GET", path);
    let request = headers.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    });
    let answer = request.send().await.unwrap();
    answer.headers()["x-trace-id"].to_str().unwrap().to_owned()
}

/// Trace, parent and flags of what the worker was sent.
fn parts(traceparent: &Option<String>) -> (String, String, String) {
    let text = traceparent.clone().unwrap();
    let parts: Vec<&str> = text.split('-').collect();
    assert_eq!((parts.len(), parts[0]), (4, "00"), "{text}");
    (
        parts[1].to_owned(),
        parts[2].to_owned(),
        parts[3].to_owned(),
    )
}

#[tokio::test]
async fn each_attempt_reaches_the_worker_in_the_callers_trace_under_a_parent_of_its_own() {
    let worker = CountingWorker::saying(503).await;
    let (api, _cluster) = api(&worker).await;
    let traceparent = format!("00-{TRACE}-{PARENT}-01");
    let headers = [
        ("traceparent", traceparent.as_str()),
        ("tracestate", "vendor=1"),
    ];
    assert_eq!(trace_of_answer(&api, "/process", &headers).await, TRACE);

    let sent: Vec<_> = worker.header("traceparent").iter().map(parts).collect();
    assert!(sent.len() > 1, "no attempt but the first");
    for (trace, parent, flags) in &sent {
        assert_eq!((trace.as_str(), flags.as_str()), (TRACE, "01"));
        assert_ne!(parent, PARENT);
    }
    assert_ne!(sent[0].1, sent[1].1);
    let states = worker.header("tracestate");
    assert!(states.iter().all(|it| it.as_deref() == Some("vendor=1")));
}

#[tokio::test]
async fn the_naive_side_passes_the_trace_on_as_well() {
    let worker = CountingWorker::start(Duration::ZERO).await;
    let (api, _cluster) = api(&worker).await;
    let traceparent = format!("00-{TRACE}-{PARENT}-00");
    let headers = [("traceparent", traceparent.as_str())];
    assert_eq!(
        trace_of_answer(&api, "/naive/process", &headers).await,
        TRACE
    );
    assert_eq!(parts(&worker.header("traceparent")[0]).0, TRACE);
}

#[tokio::test]
async fn without_a_valid_trace_a_new_one_begins_and_nothing_of_the_other_is_passed_on() {
    let worker = CountingWorker::start(Duration::ZERO).await;
    let (api, _cluster) = api(&worker).await;
    let bad = format!("00-{TRACE}-0000000000000000-01");
    let headers = [("traceparent", bad.as_str()), ("tracestate", "vendor=1")];
    let trace = trace_of_answer(&api, "/process", &headers).await;
    assert_ne!(trace, TRACE);
    assert_eq!(parts(&worker.header("traceparent")[0]).0, trace);
    assert_eq!(worker.header("tracestate"), [None]);
}

#[tokio::test]
async fn each_call_of_the_worker_says_what_is_left_of_its_deadline_recoverys_too() {
    let worker = CountingWorker::saying(503).await;
    let (api, _cluster) = api(&worker).await;
    let answer = Answer::read(api.get("/process").await).await;
    let live = worker.calls();
    assert!(live > 1, "no attempt but the first");
    worker.say(200);
    let id = answer.processed().request_id;
    api.comes_to_be(id, RequestStatus::Done).await;
    assert!(worker.calls() > live, "recovery never called");

    let left = worker.header("x-request-timeout-ms");
    let left: Vec<u64> = left
        .into_iter()
        .map(|it| it.unwrap().parse().unwrap())
        .collect();
    // The quick policies' `worker.deadline`.
    assert!(left.iter().all(|it| (1..=1300).contains(it)), "{left:?}");
    assert!(left[1] < left[0], "a second attempt has less: {left:?}");
}
