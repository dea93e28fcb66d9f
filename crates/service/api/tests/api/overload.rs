//! More work than is accepted at once.

use std::time::Duration;

use futures_util::future::join_all;
use holdfast_wire::{DegradedCode, Reason, RequestList};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::support::{Answer, Api, Events, System};

#[tokio::test]
async fn beyond_max_in_flight_a_call_is_refused_at_once_and_nothing_is_recorded() {
    let two = format!("process.max_in_flight = 2\n{PATIENT}");
    let system = System::with(&two, WORK).await;
    let (first, second, refused) = tokio::join!(
        system.api.get("/process"),
        system.api.get("/process"),
        async {
            shows(
                &system,
                "holdfast_endpoint_in_flight{endpoint=\"process\"} 2",
            )
            .await;
            let started = Instant::now();
            let answer = Answer::read(system.api.get("/process").await).await;
            let waited = started.elapsed();
            assert!(waited < WORK / 2, "{waited:?}");
            answer
        }
    );
    assert_eq!(
        (first.status().as_u16(), second.status().as_u16()),
        (200, 200)
    );
    assert_eq!(refused.status, 503);
    assert_eq!(refused.problem().code.as_str(), "overloaded");
    assert_eq!(
        refused.reason(DegradedCode::Overloaded),
        Reason::BulkheadFull
    );
    assert!(refused.retry_after.unwrap() >= 1);

    let list: RequestList = system.api.get("/requests").await.json().await.unwrap();
    assert_eq!(list.total, 2);
    assert_eq!(system.api.process().await.status, 200);
}

#[tokio::test]
async fn what_is_known_under_a_key_is_answered_while_every_place_is_taken() {
    let one = format!("process.max_in_flight = 1\n{PATIENT}");
    let system = System::with(&one, WORK).await;
    let finished = system.api.post_keyed("finished", "1").await;
    assert_eq!(finished.status, 200);
    let (running, joined) = tokio::join!(system.api.post_keyed("running", "1"), async {
        shows(&system, BUSY).await;
        let new = system.api.post_keyed("new", "1").await;
        assert_eq!(new.status, 503);
        assert!(new.degraded()[0].detail.contains("calls under way"));
        let refused = "holdfast_process_overloaded_total{cause=\"in_flight\"}";
        system.api.metrics().await.show(&[(refused, 1)]);
        system.api.post_keyed("running", "1").await
    });
    assert_eq!(
        (running.status.as_u16(), joined.status.as_u16()),
        (200, 200)
    );
    assert_eq!((running.is_replay, joined.is_replay), (false, true));
    let (first, again) = tokio::join!(system.api.get("/process"), async {
        shows(&system, BUSY).await;
        system.api.post_keyed("finished", "1").await
    });
    assert_eq!(first.status(), 200);
    assert_eq!((again.status.as_u16(), again.is_replay), (200, true));
}

#[tokio::test]
async fn many_callers_under_one_key_take_one_place() {
    let two = format!("process.max_in_flight = 2\n{PATIENT}");
    let system = System::with(&two, WORK).await;
    let under_one_key = async || system.api.post_keyed("k", "1").await;
    let (first, second, third, other) =
        tokio::join!(under_one_key(), under_one_key(), under_one_key(), async {
            shows(&system, BUSY).await;
            system.api.process().await
        });
    for answer in [&first, &second, &third, &other] {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let ids = [&second, &third].map(|it| it.processed().request_id);
    assert_eq!(ids, [first.processed().request_id; 2]);
}

#[tokio::test]
async fn a_client_that_dawdles_over_its_body_takes_no_place() {
    let system = System::with("process.max_in_flight = 1", Duration::from_millis(50)).await;
    let mut slow = TcpStream::connect(system.api.address).await.unwrap();
    let begun = b"POST /process HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\n{";
    slow.write_all(begun).await.unwrap();
    for _ in 0..3 {
        assert_eq!(system.api.process().await.status, 200);
    }
}

/// Long enough to have others sent meanwhile on a busy machine.
const WORK: Duration = Duration::from_secs(1);
/// Waits for it.
const PATIENT: &str =
    "worker.attempt_timeout = \"2500ms\"\nworker.deadline = \"6s\"\nrecovery.lease = \"12s\"";
const ONE_PLACE: &str =
    "worker.bulkhead = { max_wait = \"20ms\", adaptive = { min = 1, initial = 1 } }";
/// One call is under way.
const BUSY: &str = "holdfast_attempts_in_flight{dependency=\"worker\"} 1";
/// One waits for it.
const WAITING: &str = "holdfast_attempts_waiting{dependency=\"worker\"} 1";

#[tokio::test]
async fn what_the_worker_cannot_take_is_shed_at_once_and_nothing_of_it_is_recorded() {
    let system = System::with(&format!("{ONE_PLACE}\n{PATIENT}"), WORK).await;
    let (done, shed) = tokio::join!(system.api.get("/process"), async {
        shows(&system, BUSY).await;
        let started = Instant::now();
        let answer = system.api.process().await;
        assert!(started.elapsed() < WORK / 2);
        answer
    });
    assert_eq!(done.status(), 200);
    assert_eq!(shed.status, 503);
    assert_eq!(shed.problem().code.as_str(), "overloaded");
    assert_eq!(shed.reason(DegradedCode::Overloaded), Reason::Shed);
    assert!(shed.retry_after.unwrap() >= 1);
    let list: RequestList = system.api.get("/requests").await.json().await.unwrap();
    assert_eq!(list.total, 1);
    assert_eq!(system.api.process().await.status, 200);
}

#[tokio::test]
async fn what_is_known_under_a_key_is_answered_while_all_else_is_shed() {
    let system = System::with(&format!("{ONE_PLACE}\n{PATIENT}"), WORK).await;
    assert_eq!(system.api.post_keyed("known", "1").await.status, 200);
    let (done, known) = tokio::join!(system.api.get("/process"), async {
        shows(&system, BUSY).await;
        assert_eq!(system.api.post_keyed("new", "1").await.status, 503);
        system.api.post_keyed("known", "1").await
    });
    assert_eq!(done.status(), 200);
    assert_eq!((known.status.as_u16(), known.is_replay), (200, true));
}

#[tokio::test]
async fn the_less_urgent_makes_way_for_the_more_urgent() {
    let one_waits = "worker.bulkhead = { max_waiting = 1, max_wait = \"3s\", adaptive = { min = 1, initial = 1 } }";
    let system = System::with(&format!("{one_waits}\n{PATIENT}"), WORK).await;
    let prefetch = system.api.request("GET", "/process");
    let prefetch = prefetch.header("priority", "u=6, i");
    let (first, prefetch, user) = tokio::join!(
        system.api.get("/process"),
        async {
            shows(&system, BUSY).await;
            prefetch.send().await.unwrap()
        },
        async {
            shows(&system, WAITING).await;
            system.api.get("/process").await
        }
    );
    assert_eq!(
        (first.status(), user.status()),
        (200.try_into().unwrap(), 200.try_into().unwrap())
    );
    let prefetch = Answer::read(prefetch).await;
    assert_eq!(prefetch.reason(DegradedCode::Overloaded), Reason::Shed);
    system.api.metrics().await.show(&[
        ("holdfast_process_shed_total{priority=\"6\"}", 1),
        ("holdfast_process_shed_total{priority=\"3\"}", 0),
    ]);
    let mut events = Events::of(system.api.get("/events").await);
    events
        .come_to(|live| live.load.shed == [0, 0, 0, 0, 0, 0, 1, 0])
        .await;
}

#[tokio::test]
async fn a_client_beyond_its_share_is_told_to_wait_and_others_are_not() {
    let limit = "process.rate_limit = { enabled = true, requests = 2, window = \"60s\", client = \"header:x-client\" }";
    let system = System::with(limit, Duration::from_millis(10)).await;
    let call = |client: &'static str| {
        let request = system.api.request("GET", "/process");
        async move { request.header("x-client", client).send().await.unwrap() }
    };
    let first = call("a").await;
    assert_eq!(first.status(), 200);
    assert_eq!(first.headers()["ratelimit-policy"], "\"client\";q=2;w=60");
    assert_eq!(first.headers()["ratelimit"], "\"client\";r=1;t=30");
    assert_eq!(call("a").await.status(), 200);
    let refused = call("a").await;
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["ratelimit-policy"], "\"client\";q=2;w=60");
    let left = refused.headers()["ratelimit"].clone();
    assert!(["\"client\";r=0;t=30", "\"client\";r=0;t=29"].contains(&left.to_str().unwrap()));
    let refused = Answer::read(refused).await;
    assert_eq!(refused.problem().code.as_str(), "quota-exceeded");
    assert!((29..=30).contains(&refused.retry_after.unwrap()));
    assert_eq!(call("b").await.status(), 200);
    let list: RequestList = system.api.get("/requests").await.json().await.unwrap();
    assert_eq!(list.total, 3);
    let mut events = Events::of(system.api.get("/events").await);
    events.come_to(|live| live.load.throttled == 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_beyond_those_that_are_made_at_once_wait_for_their_turn() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    let reader = async || {
        for _ in 0..5 {
            assert_eq!(system.api.get("/requests?limit=500").await.status(), 200);
        }
    };
    join_all((0..8).map(|_| reader())).await;
}

/// Waits until the metrics have this line.
async fn shows(system: &System, line: &str) {
    let started = Instant::now();
    loop {
        let metrics = system.api.get("/metrics").await.text().await.unwrap();
        if metrics.lines().any(|it| it == line) {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(2), "{metrics}");
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_a_call_of_another_replica_keeps_no_place_from_those_who_have_work_done() {
    let two = format!("process.max_in_flight = 2\n{PATIENT}");
    let system = System::with(&two, WORK).await;
    system.api.becomes_healthy().await;
    let replica = Api::start(system.api.config.of_a_replica());
    replica.becomes_healthy().await;
    let beside = async {
        sleep(WORK / 4).await;
        let waiting =
            async { tokio::join!(replica.post_keyed("a", "1"), replica.post_keyed("b", "1")) };
        let others = async {
            sleep(WORK / 4).await;
            tokio::join!(replica.get("/process"), replica.get("/process"))
        };
        tokio::join!(waiting, others)
    };
    let (a, b, ((waited_a, waited_b), others)) = tokio::join!(
        system.api.post_keyed("a", "1"),
        system.api.post_keyed("b", "1"),
        beside
    );
    assert_eq!(
        (others.0.status().as_u16(), others.1.status().as_u16()),
        (200, 200)
    );
    for (first, waited) in [(a, waited_a), (b, waited_b)] {
        assert_eq!(waited.status, 200, "{waited:?}");
        assert_eq!(waited.processed().request_id, first.processed().request_id);
    }
}
