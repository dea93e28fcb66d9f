//! Every write may be repeated, because every answer may be lost: against a real Postgres.

mod claims;
mod conflicts;
mod gathered;
mod grant;
mod held_keys;
mod leases;
mod live;
mod plans;
mod refused;
mod schema;

use std::sync::Arc;
use std::time::Duration;

use holdfast_policy::Deadline;
use holdfast_testbed::postgres::Cluster;
use holdfast_wire::{DegradedCode, JsonText};
use jiff::Timestamp;
use metrics::Histogram;
use serde_json::value::RawValue;
use tokio::runtime::Handle;
use uuid::Uuid;

use super::{Claimed, FailureOutcome, FlushMetrics, LiveMetrics, LiveStore, Store, StoreOptions};
use crate::config::load;
use crate::dependency::Dependency;
use crate::journal::Entry;
use crate::postgres::Database;
use crate::process::{InsertOutcome, NewRequest, Owner, RequestState, Requests, WorkResult};
use crate::resolver::Resolver;

const LEASE: Duration = Duration::from_secs(15);

async fn store() -> (Cluster, Store, LiveStore<Store>) {
    let cluster = Cluster::start().await.unwrap();
    let database = Database::parse(&cluster.url()).unwrap();
    let resolver = Resolver::new(Handle::current(), None);
    let policy = load(None).unwrap().policies.database;
    let options = StoreOptions {
        role: "tests",
        max_sessions: 8,
        statement_limit: policy.attempt_timeout,
    };
    let store = Store::resilient(&database, &policy, options, resolver, Handle::current()).unwrap();
    let live = live(&store);
    (cluster, store, live)
}

fn live(store: &Store) -> LiveStore<Store> {
    let (dependency, unmeasured) = (dependency(), unmeasured());
    let metrics = LiveMetrics {
        unkeyed: unmeasured.clone(),
        keyed: unmeasured,
    };
    LiveStore::new(
        &dependency,
        store,
        LEASE,
        &Handle::current(),
        metrics,
        Arc::new(|_| {}),
    )
}

/// Postgres under the default policy.
pub(super) fn dependency() -> Arc<Dependency> {
    let policy = load(None).unwrap().policies.database.policy();
    let code = DegradedCode::DbUnavailable;
    Arc::new(Dependency::new("database", code, policy, 1, vec![]).unwrap())
}

pub(super) fn unmeasured() -> FlushMetrics {
    FlushMetrics {
        rows: Histogram::noop(),
        queued: Histogram::noop(),
    }
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(5))
}

fn text(text: &str) -> JsonText {
    JsonText::parse(format!("\"{text}\"")).unwrap()
}

fn request(id: Uuid, key: Option<&str>, payload: Option<Box<RawValue>>) -> NewRequest {
    NewRequest {
        id,
        key: key.map(str::to_owned),
        payload,
        received_at: Timestamp::now(),
        priority: holdfast_policy::Priority::USUAL,
    }
}

async fn insert(live: &LiveStore<Store>, id: Uuid) {
    let inserted = live
        .insert(&request(id, None, None), Owner::Caller, soon())
        .await;
    assert_eq!(inserted.unwrap(), InsertOutcome::Inserted);
}

async fn insert_keyed(
    live: &LiveStore<Store>,
    key: &str,
    payload: Option<Box<RawValue>>,
) -> InsertOutcome {
    let request = request(Uuid::now_v7(), Some(key), payload);
    live.insert(&request, Owner::Caller, soon()).await.unwrap()
}

async fn sql(cluster: &Cluster) -> tokio_postgres::Client {
    let url = cluster.url();
    let connect = tokio_postgres::connect(&url, tokio_postgres::NoTls);
    let (client, connection) = connect.await.unwrap();
    tokio::spawn(connection);
    client
}

fn body() -> Box<RawValue> {
    RawValue::from_string("{\"n\": 1}".to_owned()).unwrap()
}

fn entry(end: Option<&str>) -> Entry {
    let now = Timestamp::now();
    Entry {
        id: Uuid::now_v7(),
        key: Some("k".to_owned()),
        payload: Some(body()),
        received_at: now,
        end: end.map(|response| WorkResult {
            response: text(response),
            attempts: 1,
            completed_at: now,
        }),
    }
}

async fn state(live: &LiveStore<Store>, id: Uuid) -> RequestState {
    live.state_of(id, soon()).await.unwrap().unwrap().state
}

async fn claim(store: &Store) -> Vec<Claimed> {
    let claimed = store.claim(10, LEASE, LEASE * 2).await.unwrap();
    claimed.into_iter().map(|open| open.claimed).collect()
}

#[tokio::test]
async fn the_first_recorded_end_wins() {
    let (_cluster, store, live) = store().await;
    let id = Uuid::now_v7();
    insert(&live, id).await;
    live.release(&request(id, None, None), soon())
        .await
        .unwrap();
    for response in ["first", "second"] {
        store.complete(id, &text(response), 1).await.unwrap();
    }
    let late = Entry {
        id,
        ..entry(Some("third"))
    };
    store
        .replay(std::slice::from_ref(&late), LEASE)
        .await
        .unwrap();
    store.refuse(&late, "no").await.unwrap();
    assert_eq!(state(&live, id).await.response(), Some(&text("first")));
}

#[tokio::test]
async fn an_entry_is_brought_over_once_however_often_and_its_end_may_come_later() {
    let (_cluster, store, live) = store().await;
    let mut open = entry(None);
    let done = Entry {
        key: None,
        ..entry(Some("done"))
    };
    for _ in 0..2 {
        store
            .replay(&[open.clone(), done.clone()], LEASE)
            .await
            .unwrap();
    }
    assert_eq!(state(&live, open.id).await, RequestState::Waiting);
    assert_eq!(state(&live, done.id).await.response(), Some(&text("done")));
    open.end = entry(Some("later")).end;
    store.replay(&[open.clone()], LEASE).await.unwrap();
    assert_eq!(state(&live, open.id).await.response(), Some(&text("later")));
    let again = insert_keyed(&live, "k", Some(body())).await;
    assert!(matches!(again, InsertOutcome::Existing(known) if known.id == open.id));
}

#[tokio::test]
async fn who_has_a_lease_is_left_alone_and_a_claim_is_a_lease() {
    let (_cluster, store, live) = store().await;
    let (leased, free, naive) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    insert(&live, leased).await;
    insert(&live, free).await;
    live.release(&request(free, None, None), soon())
        .await
        .unwrap();
    store.insert_naive(naive, None).await.unwrap();
    let claimed = claim(&store).await;
    assert_eq!(claimed.iter().map(|it| it.id).collect::<Vec<_>>(), [free]);
    assert_eq!(claim(&store).await, []);

    live.release(&request(leased, None, None), soon())
        .await
        .unwrap();
    assert_eq!(claim(&store).await[0].id, leased);
    store.give_back(claimed[0], Duration::ZERO).await.unwrap();
    let anew = claim(&store).await;
    assert_eq!(anew[0].id, free);
    // Whose lease was taken over has no say any more.
    store.give_back(claimed[0], Duration::ZERO).await.unwrap();
    assert_eq!(store.extend(claimed[0], LEASE).await.unwrap(), None);
    assert_eq!(claim(&store).await, []);
    assert!(store.extend(anew[0], LEASE).await.unwrap().is_some());
}

#[tokio::test]
async fn a_failure_counts_once_and_the_last_one_ends_it() {
    let (_cluster, store, live) = store().await;
    let id = Uuid::now_v7();
    insert(&live, id).await;
    live.release(&request(id, None, None), soon())
        .await
        .unwrap();
    for expected in [FailureOutcome::Retry, FailureOutcome::GaveUp] {
        let claimed = claim(&store).await[0];
        let count = || store.count_failure(claimed, "refused", 2, Duration::ZERO);
        assert_eq!(count().await.unwrap(), expected);
        // Its answer was lost: again.
        assert_eq!(count().await.unwrap(), FailureOutcome::Retry);
    }
    let failed = RequestState::Failed("refused".to_owned());
    assert_eq!(state(&live, id).await, failed);
}

#[tokio::test]
async fn done_requests_go_with_their_keys_and_others_stay() {
    let (_cluster, store, live) = store().await;
    let entries: [Entry; 2] = [
        entry(Some("done")),
        Entry {
            key: Some("open".to_owned()),
            ..entry(None)
        },
    ];
    store.replay(&entries, LEASE).await.unwrap();
    assert_eq!(store.forget(LEASE, 10, None).await.unwrap().rows, 0);
    assert_eq!(
        store.forget(Duration::ZERO, 10, None).await.unwrap().rows,
        1
    );
    assert_eq!(live.state_of(entries[0].id, soon()).await.unwrap(), None);
    assert_eq!(state(&live, entries[1].id).await, RequestState::Waiting);
    let again = insert_keyed(&live, "k", None).await;
    assert_eq!(again, InsertOutcome::Inserted);
}
