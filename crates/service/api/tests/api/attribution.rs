//! Whose failure it was: the request's own, or the worker's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use holdfast_testbed::proxy::Fault;
use holdfast_wire::{Request, RequestStatus};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::recovery::{replica_over, total};
use crate::support::{Api, CountingWorker, ScriptedWorker, System};

/// The trace of those callers whom the worker serves, whatever it does to others.
const SERVED: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Refuses with `status` all but the calls under [`SERVED`], for as long as the switch is on.
async fn refusing(status: u16) -> (ScriptedWorker, Arc<AtomicBool>) {
    let refuses = Arc::new(AtomicBool::new(true));
    let on = Arc::clone(&refuses);
    let script = move |_: usize, request: &str| {
        let served = request.contains(SERVED) || !on.load(Ordering::SeqCst);
        (if served { 200 } else { status }, "{\"n\": 1}".to_owned())
    };
    let worker = ScriptedWorker::start(Duration::ZERO, script).await;
    (worker, refuses)
}

async fn served(api: &Api) {
    let call = api.request("GET", "/process");
    let call = call.header("traceparent", format!("00-{SERVED}-00f067aa0ba902b7-01"));
    // On a busy machine one may be put off: the next is served.
    let status = call.send().await.unwrap().status();
    assert!(status == 200 || status == 202, "{status}");
}

/// How `id` ends while others are served.
async fn ends_beside_others(api: &Api, id: Uuid) -> Request {
    comes_beside_others(api, id, |it| it.status.is_end()).await
}

/// What `id` comes to while others are served, one about every third of a second.
async fn comes_beside_others(api: &Api, id: Uuid, reached: impl Fn(&Request) -> bool) -> Request {
    let started = Instant::now();
    loop {
        served(api).await;
        let response = api.get(&format!("/requests/{id}")).await;
        let request: Request = response.json().await.unwrap();
        if reached(&request) {
            return request;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "{request:?}");
        sleep(Duration::from_millis(300)).await;
    }
}

#[tokio::test]
async fn what_the_worker_refuses_beside_others_it_serves_fails_with_its_error() {
    let system = System::with("recovery.max_attempts = 2", Duration::ZERO).await;
    let (worker, refuses) = refusing(422).await;
    let api = replica_over(&worker.url(), &system);
    // Cut off from its worker, the first takes no part.
    system.worker.set(Fault::Refuse).await;
    let id = api.post_keyed("k", "").await.processed().request_id;
    // While it is tried again it says why, so that an operator need not wait for its end.
    let failed_once = |it: &Request| it.attempts == 1 && it.status == RequestStatus::Received;
    let retried = comes_beside_others(&api, id, failed_once).await;
    let why = retried.error.as_deref();
    assert_eq!(why, Some("the worker answered with an error"));
    let request = ends_beside_others(&api, id).await;
    assert_eq!(request.status, RequestStatus::Failed);
    assert_eq!(
        request.error.as_deref(),
        Some("the worker answered with an error")
    );
    assert_eq!(request.attempts, 2);
    assert!(request.completed_at.is_some());
    assert_eq!(total(&api, "failed").await, 1);

    // It is what its key stands for, and nobody else's fate.
    let again = api.post_keyed("k", "").await;
    assert_eq!(again.status, 409);
    assert_eq!(again.problem().code.as_str(), "request_failed");
    refuses.store(false, Ordering::SeqCst);
    assert_eq!(api.post_keyed("another", "").await.status, 200);
}

#[tokio::test]
async fn a_worker_that_refuses_everybody_fails_nothing() {
    let system = System::with("recovery.max_attempts = 1", Duration::ZERO).await;
    for status in [401, 302] {
        let (worker, refuses) = refusing(status).await;
        let mut api = replica_over(&worker.url(), &system);
        system.worker.set(Fault::Refuse).await;
        let mut owed = Vec::new();
        for _ in 0..5 {
            owed.push(api.process().await.processed().request_id);
        }
        let before = worker.calls();
        let started = Instant::now();
        while worker.calls() < before + 6 {
            let waited = started.elapsed();
            assert!(waited < Duration::from_secs(30), "recovery gave up trying");
            sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(total(&api, "failed").await, 0);
        refuses.store(false, Ordering::SeqCst);
        api.becomes_healthy().await;
        // The calls that now succeed convict nobody.
        for id in owed {
            let done = ends_beside_others(&api, id).await;
            assert_eq!(done.status, RequestStatus::Done, "{status}: {done:?}");
        }
        api.stop();
        api.stopped().await;
    }
}

#[tokio::test]
async fn an_outage_fails_nothing_however_often_the_work_was_tried() {
    let system = System::with("recovery.max_attempts = 1", Duration::ZERO).await;
    let worker = CountingWorker::saying(500).await;
    let api = replica_over(&worker.url(), &system);
    system.worker.set(Fault::Refuse).await;
    let id = api.process().await.processed().request_id;
    api.opens_worker_breaker().await;
    let before = worker.calls();
    let started = Instant::now();
    while worker.calls() < before + 5 {
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "recovery gave up trying"
        );
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(total(&api, "failed").await, 0);
    worker.say(200);
    api.comes_to_be(id, RequestStatus::Done).await;
}

#[tokio::test]
async fn of_two_endpoints_one_that_refuses_everybody_fails_nothing_though_the_other_is_well() {
    let system = System::with("recovery.max_attempts = 1", Duration::ZERO).await;
    let (refusing, well) = (
        CountingWorker::saying(422).await,
        CountingWorker::start(Duration::ZERO).await,
    );
    // Cut off from its worker, the first takes no part.
    system.worker.set(Fault::Refuse).await;
    let api = replica_over(&format!("{},{}", refusing.url(), well.url()), &system);
    let mut owed = vec![];
    while owed.len() < 2 {
        let answer = api.process().await;
        if answer.status == 202 {
            owed.push(answer.processed().request_id);
        }
    }
    for id in owed {
        let started = Instant::now();
        loop {
            api.process().await;
            let request = api.get(&format!("/requests/{id}")).await;
            let request: Request = request.json().await.unwrap();
            if request.status.is_end() {
                assert_eq!(request.status, RequestStatus::Done, "{request:?}");
                break;
            }
            assert!(started.elapsed() < Duration::from_secs(30), "{request:?}");
            sleep(Duration::from_millis(300)).await;
        }
    }
    assert_eq!(total(&api, "failed").await, 0);
}
