//! Postgres fails over: three nodes under Patroni, under steady load. What was accepted is there, but for what a primary
//! confirmed that waits for no standby.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use holdfast_testbed::postgres::{Patroni, Replication};
use holdfast_wire::RecordedIn;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use uuid::Uuid;

use crate::support::{Answer, Api, TestConfig, spawn_worker};

/// Between two calls.
const PACE: Duration = Duration::from_millis(50);
/// From the moment at which another node leads.
const BACK_WITHIN: Duration = Duration::from_secs(5);
/// Patroni's rounds until it waits for no standby.
const STANDBYS_GIVEN_UP_WITHIN: Duration = Duration::from_secs(10);
/// How long the standbys of the asynchronous variant hear nothing before their primary dies.
const DEAF_FOR: Duration = Duration::from_secs(2);
const FINISHED_WITHIN: Duration = Duration::from_secs(60);
const STATE: &str = "SELECT payload->>'n', status FROM requests WHERE id = $1";

struct Scene {
    api: Arc<Api>,
    nodes: Patroni,
    load: JoinHandle<Sent>,
    stop: Arc<AtomicBool>,
}

/// What was accepted, each with the number it carried, and what was not.
#[derive(Default)]
struct Sent {
    accepted: Vec<(Uuid, u64)>,
    in_the_journal: usize,
    refused: Vec<Answer>,
}

impl Scene {
    async fn start(replication: Replication) -> Self {
        let nodes = Patroni::start(replication).await.unwrap();
        let worker = format!("http://{}", spawn_worker(Duration::from_millis(20)));
        let nowhere = ([127, 0, 0, 1], 1).into();
        let api = Arc::new(Api::start(TestConfig {
            database_url: nodes.url(),
            ..TestConfig::new(&worker, nowhere, "")
        }));
        api.becomes_healthy().await;
        let stop = Arc::new(AtomicBool::new(false));
        let load = tokio::spawn(send(api.clone(), stop.clone()));
        // Some calls before anything happens.
        sleep(PACE * 20).await;
        Self {
            api,
            nodes,
            load,
            stop,
        }
    }

    async fn primary(&self) -> usize {
        self.nodes.primary().await.unwrap()
    }

    /// Waits until another node than this one leads.
    async fn another_leads(&self, than: usize) -> usize {
        self.nodes.another_leads(than).await.unwrap()
    }

    /// Waits until answers are recorded in Postgres again; how long it took.
    async fn is_back(&self, within: Duration) -> Duration {
        let started = Instant::now();
        loop {
            let answer = self.api.process().await;
            if answer.status == 200 && answer.processed().recorded_in == RecordedIn::Database {
                return started.elapsed();
            }
            assert!(started.elapsed() < within, "not back: {answer:?}");
            sleep(PACE).await;
        }
    }

    /// Ends the load and waits until nothing is owed any more; how many of the accepted are nowhere, and the figures. All
    /// others must be done, with their own payload.
    async fn account(self, primary: usize) -> (usize, String) {
        self.stop.store(true, Ordering::Relaxed);
        let sent = self.load.await.unwrap();
        assert!(sent.refused.is_empty(), "refused: {:?}", sent.refused);
        assert!(!sent.accepted.is_empty());
        let started = Instant::now();
        loop {
            let status = self.api.status().await;
            if status.journal.unwrap().entries == 0 && status.open_work == Some(0) {
                break;
            }
            assert!(started.elapsed() < FINISHED_WITHIN, "still owed");
            sleep(PACE).await;
        }
        let sql = self.nodes.session(primary, "holdfast").await.unwrap();
        let mut lost = 0;
        for (id, number) in &sent.accepted {
            let Some(row) = sql.query_opt(STATE, &[id]).await.unwrap() else {
                lost += 1;
                continue;
            };
            let seen: (String, String) = (row.get(0), row.get(1));
            assert_eq!(seen, (number.to_string(), "done".to_owned()), "{id}");
        }
        let (accepted, journal) = (sent.accepted.len(), sent.in_the_journal);
        let figures = format!("{accepted} accepted, {journal} of them by the journal, {lost} lost");
        (lost, figures)
    }

    async fn lost_nothing(self, primary: usize) -> String {
        let (lost, figures) = self.account(primary).await;
        assert_eq!(lost, 0, "{figures}");
        figures
    }
}

async fn send(api: Arc<Api>, stop: Arc<AtomicBool>) -> Sent {
    let mut calls = JoinSet::new();
    let mut ticks = interval(PACE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut number = 0_u64;
    while !stop.load(Ordering::Relaxed) {
        ticks.tick().await;
        number += 1;
        let api = api.clone();
        calls.spawn(async move {
            let response = api.post("/process", format!(r#"{{"n":"{number}"}}"#)).await;
            (number, Answer::read(response).await)
        });
    }
    let mut sent = Sent::default();
    for (number, answer) in calls.join_all().await {
        if !answer.status.is_success() {
            sent.refused.push(answer);
            continue;
        }
        let body = answer.processed();
        sent.accepted.push((body.request_id, number));
        sent.in_the_journal += usize::from(body.recorded_in == RecordedIn::Journal);
    }
    sent
}

#[tokio::test]
#[ignore = "needs Patroni and etcd, half a minute; make failover"]
async fn a_switchover_loses_nothing() {
    let scene = Scene::start(Replication::Synchronous).await;
    let before = scene.primary().await;
    let started = Instant::now();
    scene.nodes.switch_over().await.unwrap();
    let new = scene.another_leads(before).await;
    let failover = started.elapsed();
    let back = scene.is_back(BACK_WITHIN).await;
    let figures = scene.lost_nothing(new).await;
    eprintln!("switchover: {figures}; another leads after {failover:.1?}, back {back:.1?} later");
}

#[tokio::test]
#[ignore = "needs Patroni and etcd, a minute; make failover"]
async fn a_killed_primary_loses_nothing() {
    let scene = Scene::start(Replication::Synchronous).await;
    let before = scene.primary().await;
    let started = Instant::now();
    scene.nodes.kill(before).await.unwrap();
    let new = scene.another_leads(before).await;
    let failover = started.elapsed();
    let back = scene.is_back(BACK_WITHIN).await;
    let figures = scene.lost_nothing(new).await;
    eprintln!(
        "primary-killed: {figures}; another leads after {failover:.1?}, back {back:.1?} later"
    );
}

#[tokio::test]
#[ignore = "needs Patroni and etcd, half a minute; make failover"]
async fn lost_standbys_lose_nothing() {
    let scene = Scene::start(Replication::Synchronous).await;
    let primary = scene.primary().await;
    for standby in (0..3).filter(|number| *number != primary) {
        scene.nodes.kill(standby).await.unwrap();
    }
    let within = STANDBYS_GIVEN_UP_WITHIN + BACK_WITHIN;
    let back = scene.is_back(within).await;
    assert_eq!(scene.nodes.primary().await, Some(primary));
    let figures = scene.lost_nothing(primary).await;
    eprintln!("standby-lost: {figures}; back after {back:.1?}");
}

/// Its Patroni hangs, as behind a partition: it goes on as primary beside the new one, and answers whoever asks.
#[tokio::test]
#[ignore = "needs Patroni and etcd, a minute; make failover"]
async fn a_primary_that_goes_on_believing_it_is_one_loses_nothing() {
    let scene = Scene::start(Replication::Synchronous).await;
    let before = scene.primary().await;
    let started = Instant::now();
    scene.nodes.pause_patroni(before);
    let new = scene.another_leads(before).await;
    let failover = started.elapsed();
    let back = scene.is_back(BACK_WITHIN).await;
    scene.nodes.resume_patroni(before);
    assert_eq!(scene.nodes.settles(2).await.unwrap(), new);
    let figures = scene.lost_nothing(new).await;
    eprintln!(
        "primary-partitioned: {figures}; another leads after {failover:.1?}, back {back:.1?} later, \
         while the old one believes in itself"
    );
}

/// What the primary confirmed and no standby heard is gone with it: nobody else ever had it.
#[tokio::test]
#[ignore = "needs Patroni and etcd, a minute; make failover"]
async fn without_a_synchronous_standby_a_killed_primary_takes_along_what_it_alone_has() {
    let scene = Scene::start(Replication::Asynchronous).await;
    let before = scene.primary().await;
    scene.nodes.mute(before).await.unwrap();
    let deaf = Instant::now();
    sleep(DEAF_FOR).await;
    let started = Instant::now();
    scene.nodes.kill(before).await.unwrap();
    let deaf = deaf.elapsed();
    let new = scene.another_leads(before).await;
    let failover = started.elapsed();
    let back = scene.is_back(BACK_WITHIN).await;
    let (lost, figures) = scene.account(new).await;
    // At one call each 50 ms, and some slack for those that were under way.
    let confirmed_alone = deaf.as_millis() / PACE.as_millis() + 10;
    assert!(
        lost > 0 && lost as u128 <= confirmed_alone,
        "{figures} in {deaf:?}"
    );
    eprintln!(
        "asynchronous: {figures}, in the {deaf:.1?} that no standby heard; another leads after {failover:.1?}, back {back:.1?} later"
    );
}
