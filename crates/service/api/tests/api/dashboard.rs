//! The page's files and the stream that keeps it live.

use std::collections::BTreeSet;
use std::time::Duration;

use holdfast_testbed::proxy::Fault;
use holdfast_wire::{Breaker, Problem};
use reqwest::Response;
use tokio::time::{Instant, sleep};

use crate::support::{Event, Events, System};

/// All that the page is made of, its scripts' imports included, by path.
async fn bundle(system: &System) -> Vec<(String, Response, String)> {
    let mut known = BTreeSet::from(["/".to_owned()]);
    let mut waiting = vec!["/".to_owned()];
    let mut found = Vec::new();
    while let Some(path) = waiting.pop() {
        let response = system.api.get(&path).await;
        let head = system.api.get(&path).await;
        let text = response.text().await.unwrap();
        for named in named_in(&path, &text) {
            if known.insert(named.clone()) {
                waiting.push(named);
            }
        }
        found.push((path, head, text));
    }
    found
}

fn named_in(path: &str, text: &str) -> Vec<String> {
    let quoted = text.split('"').skip(1).step_by(2);
    let folder = path.rsplit_once('/').unwrap().0;
    let parent = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
    let resolve = |name: &str| {
        if name.starts_with("/assets/") {
            return Some(name.to_owned());
        }
        let own = name
            .strip_prefix("./")
            .map(|rest| format!("{folder}/{rest}"));
        own.or_else(|| {
            name.strip_prefix("../")
                .map(|rest| format!("{parent}/{rest}"))
        })
    };
    quoted.filter_map(resolve).collect()
}

#[tokio::test]
async fn the_page_and_all_it_names_is_served_with_the_type_it_has_and_never_cached() {
    let system = System::start().await;
    let bundle = bundle(&system).await;
    assert!(bundle.len() > 20, "{}", bundle.len());
    for (path, response, _) in &bundle {
        assert_eq!(response.status(), 200, "{path}");
        let kind = match path.rsplit_once('.').map(|(_, ending)| ending) {
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            _ => "text/html; charset=utf-8",
        };
        let headers = response.headers();
        assert_eq!(headers["content-type"], kind, "{path}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["cache-control"], "no-store", "{path}");
    }
    let missing = system.api.get("/assets/../Cargo.toml").await;
    assert_eq!(missing.status(), 404);
    let missing = system.api.get("/assets/js/none.js").await;
    assert_eq!(missing.status(), 404);
    let posted = system.api.post("/", "").await;
    assert_eq!(
        (posted.status().as_u16(), &posted.headers()["allow"]),
        (405, &"GET, HEAD".parse().unwrap())
    );
}

#[tokio::test]
async fn the_page_lives_under_a_policy_that_lets_it_run_and_ask_nothing_but_its_own() {
    let system = System::start().await;
    for (path, response, text) in bundle(&system).await {
        let policy = response.headers()["content-security-policy"]
            .to_str()
            .unwrap();
        let rules: Vec<&str> = policy.split("; ").collect();
        for rule in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            "frame-ancestors 'none'",
        ] {
            assert!(rules.contains(&rule), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(response.headers()["referrer-policy"], "no-referrer");
        for forbidden in [
            " style=",
            " onclick=",
            "<script>",
            "<style",
            "innerHTML",
            "eval(",
        ] {
            assert!(!text.contains(forbidden), "{path} has {forbidden}");
        }
        let addresses =
            text.matches("http").count() - text.matches("http://www.w3.org/2000/svg").count();
        assert_eq!(addresses, 0, "{path} names another host");
    }
}

#[tokio::test]
async fn a_stream_begins_with_what_status_says_and_goes_on_with_what_changes() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    let started = Instant::now();
    let mut events = Events::of(system.api.get("/events").await);
    let Some(Event::Live(first)) = events.next().await else {
        panic!("it does not begin with what is there")
    };
    assert!(started.elapsed() < Duration::from_secs(1));
    let status = system.api.status().await;
    assert_eq!(
        first.status.dependencies.worker.limit,
        status.dependencies.worker.limit
    );
    let before = first.latency.worker.attempts;
    assert!(first.latency.worker.p50_seconds >= Some(0.05), "{first:?}");

    system.api.process().await;
    events
        .come_to(|live| live.latency.worker.attempts > before)
        .await;
    // Nothing happens any more, and still it speaks.
    events
        .come_to(|live| live.status.dependencies.worker.in_flight == 0)
        .await;
    for _ in 0..2 {
        assert!(events.next().await.is_some());
    }
}

#[tokio::test]
async fn a_breaker_that_opens_and_closes_is_an_event_each_time() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    let mut events = Events::of(system.api.get("/events").await);
    system.worker.set(Fault::Refuse).await;
    system.api.opens_worker_breaker().await;
    let opened = events.transition().await;
    assert_eq!(opened.dependency, "worker");
    assert_eq!((opened.from, opened.to), (Breaker::Closed, Breaker::Open));
    events
        .come_to(|live| live.status.dependencies.worker.breaker == Breaker::Open)
        .await;

    system.worker.set(Fault::None).await;
    system.api.becomes_healthy().await;
    let mut last = opened;
    while last.to != Breaker::Closed {
        let next = events.transition().await;
        assert_eq!(next.from, last.to);
        assert!(next.generation > last.generation);
        last = next;
    }
    events
        .come_to(|live| live.status.dependencies.worker.breaker == Breaker::Closed)
        .await;
}

#[tokio::test]
async fn streams_end_when_the_service_stops_and_do_not_delay_it() {
    let mut system = System::start().await;
    system.api.becomes_healthy().await;
    let mut events = Events::of(system.api.get("/events").await);
    let started = Instant::now();
    system.api.stop();
    events.come_to(|live| !live.status.ready).await;
    while events.next().await.is_some() {}
    system.api.stopped().await;
    assert!(
        started.elapsed() < Duration::from_secs(3),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn there_are_only_so_many_streams_and_a_place_is_free_again_when_its_reader_left() {
    let system = System::start().await;
    let mut open = Vec::new();
    for _ in 0..64 {
        open.push(Events::of(system.api.get("/events").await));
    }
    let refused = system.api.get("/events").await;
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "2");
    let problem: Problem = refused.json().await.unwrap();
    assert_eq!(problem.code.as_str(), "overloaded");
    assert_eq!(system.api.process().await.status, 200);

    drop(open);
    let started = Instant::now();
    // Noticed at the next heartbeats, for it is then that it is written to.
    while system.api.get("/events").await.status() != 200 {
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "still no place"
        );
        sleep(Duration::from_millis(200)).await;
    }
}
