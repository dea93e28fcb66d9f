//! Every write may be repeated, because every answer may be lost: against a real Postgres.

use std::time::Duration;

use holdfast_lab::postgres::{Cluster, ClusterOptions};
use jiff::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::runtime::Handle;
use uuid::Uuid;

use super::{Claimed, DatabaseError, Given, Origin, Store};
use crate::journal::{End, Entry};
use crate::postgres::{Database, PoolOptions, Sessions};
use crate::process::{Receipt, Standing};
use crate::resolver::Resolver;

const LEASE: Duration = Duration::from_secs(15);

async fn store() -> (Cluster, Store) {
    let cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    let database = Database::parse(&cluster.url()).unwrap();
    let resolver = Resolver::new(Handle::current(), None);
    let options = PoolOptions {
        role: "test",
        max_size: 2,
        limits: None,
    };
    let sessions = Sessions::new(&database, options, resolver, Handle::current()).unwrap();
    (cluster, Store::new(sessions))
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
        end: end.map(|response| End {
            response: json!(response),
            attempts: 1,
            completed_at: now,
        }),
    }
}

async fn standing(store: &Store, id: Uuid) -> Standing {
    store.look(id).await.unwrap().unwrap().standing
}

async fn claim(store: &Store) -> Vec<Claimed> {
    store.claim(10, LEASE).await.unwrap()
}

#[tokio::test]
async fn an_insert_that_was_committed_unheard_is_repeated_without_harm() {
    let (_cluster, store) = store().await;
    let (plain, keyed) = (Uuid::now_v7(), Uuid::now_v7());
    let body = body();
    let body = Some(&*body);
    for _ in 0..2 {
        let inserted = store.insert(plain, Origin::Resilient, body, Some(LEASE));
        inserted.await.unwrap();
        let inserted = store.insert_keyed(keyed, "k", body, LEASE);
        assert_eq!(inserted.await.unwrap(), Receipt::Ours);
    }
    assert_eq!(standing(&store, plain).await, Standing::Running);
    assert_eq!(standing(&store, keyed).await, Standing::Running);
}

#[tokio::test]
async fn a_key_stands_for_the_first_request_and_tells_another_body() {
    let (_cluster, store) = store().await;
    let first = Uuid::now_v7();
    store.insert_keyed(first, "k", None, LEASE).await.unwrap();
    for (body, same_body) in [(None, true), (Some(body()), false)] {
        let inserted = store.insert_keyed(Uuid::now_v7(), "k", body.as_deref(), LEASE);
        let Receipt::Known(known) = inserted.await.unwrap() else {
            panic!("taken twice");
        };
        assert_eq!((known.id, known.same_body), (first, same_body));
    }
}

#[tokio::test]
async fn the_first_recorded_end_wins() {
    let (_cluster, store) = store().await;
    let id = Uuid::now_v7();
    store
        .insert(id, Origin::Resilient, None, None)
        .await
        .unwrap();
    for response in ["first", "second"] {
        store.complete(id, &json!(response), 1).await.unwrap();
    }
    let late = Entry {
        id,
        ..entry(Some("third"))
    };
    store.replay(std::slice::from_ref(&late)).await.unwrap();
    store.refuse(&late, "no").await.unwrap();
    assert_eq!(standing(&store, id).await, Standing::Done(json!("first")));
}

#[tokio::test]
async fn an_entry_is_brought_over_once_however_often_and_its_end_may_come_later() {
    let (_cluster, store) = store().await;
    let mut open = entry(None);
    let done = Entry {
        key: None,
        ..entry(Some("done"))
    };
    for _ in 0..2 {
        store.replay(&[open.clone(), done.clone()]).await.unwrap();
    }
    assert_eq!(standing(&store, open.id).await, Standing::Waiting);
    assert_eq!(
        standing(&store, done.id).await,
        Standing::Done(json!("done"))
    );
    open.end = entry(Some("later")).end;
    store.replay(&[open.clone()]).await.unwrap();
    assert_eq!(
        standing(&store, open.id).await,
        Standing::Done(json!("later"))
    );
    let body = body();
    let again = store.insert_keyed(Uuid::now_v7(), "k", Some(&body), LEASE);
    assert!(matches!(again.await.unwrap(), Receipt::Known(known) if known.id == open.id));
}

#[tokio::test]
async fn who_has_a_lease_is_left_alone_and_a_claim_is_a_lease() {
    let (_cluster, store) = store().await;
    let (live, free, naive) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    store
        .insert(live, Origin::Resilient, None, Some(LEASE))
        .await
        .unwrap();
    store
        .insert(free, Origin::Resilient, None, None)
        .await
        .unwrap();
    store
        .insert(naive, Origin::Naive, None, None)
        .await
        .unwrap();
    let claimed = claim(&store).await;
    assert_eq!(claimed.iter().map(|it| it.id).collect::<Vec<_>>(), [free]);
    assert_eq!(claim(&store).await, []);

    store.release(live).await.unwrap();
    assert_eq!(claim(&store).await[0].id, live);
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
    let (_cluster, store) = store().await;
    let id = Uuid::now_v7();
    store
        .insert(id, Origin::Resilient, None, None)
        .await
        .unwrap();
    for expected in [Given::AnotherChance, Given::Up] {
        let claimed = claim(&store).await[0];
        let count = || store.count_failure(claimed, "refused", 2, Duration::ZERO);
        assert_eq!(count().await.unwrap(), expected);
        // Its answer was lost: again.
        assert_eq!(count().await.unwrap(), Given::AnotherChance);
    }
    let failed = Standing::Failed("refused".to_owned());
    assert_eq!(standing(&store, id).await, failed);
}

#[tokio::test]
async fn done_requests_go_with_their_keys_and_others_stay() {
    let (_cluster, store) = store().await;
    let entries: [Entry; 2] = [
        entry(Some("done")),
        Entry {
            key: Some("open".to_owned()),
            ..entry(None)
        },
    ];
    store.replay(&entries).await.unwrap();
    assert_eq!(store.forget(LEASE, 10).await.unwrap(), 0);
    assert_eq!(store.forget(Duration::ZERO, 10).await.unwrap(), 1);
    assert_eq!(store.look(entries[0].id).await.unwrap(), None);
    assert_eq!(standing(&store, entries[1].id).await, Standing::Waiting);
    let again = store.insert_keyed(Uuid::now_v7(), "k", None, LEASE);
    assert_eq!(again.await.unwrap(), Receipt::Ours);
}

#[tokio::test]
async fn a_key_without_a_request_is_free_at_the_second_try() {
    let (cluster, store) = store().await;
    store
        .insert_keyed(Uuid::now_v7(), "k", None, LEASE)
        .await
        .unwrap();
    let (client, connection) = tokio_postgres::connect(&cluster.url(), tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client.execute("DELETE FROM requests", &[]).await.unwrap();
    let id = Uuid::now_v7();
    let first = store.insert_keyed(id, "k", None, LEASE).await;
    assert!(matches!(first, Err(DatabaseError::KeyGone)));
    let second = store.insert_keyed(id, "k", None, LEASE).await;
    assert_eq!(second.unwrap(), Receipt::Ours);
    assert_ne!(standing(&store, id).await, Standing::Done(Value::Null));
}
