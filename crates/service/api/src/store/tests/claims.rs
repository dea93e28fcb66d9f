//! What a claim finds, and what it looks at.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio_postgres::Client;
use uuid::Uuid;

use super::super::Store;
use super::{LEASE, claim, sql, store};
use crate::resolver::Resolver;

async fn insert(sql: &Client, id: Uuid, lease: Option<Duration>) {
    let insert = "INSERT INTO requests (id, origin, lease_until) VALUES ($1, 'resilient', now() + make_interval(secs => $2))";
    let lease = lease.map(|lease| lease.as_secs_f64());
    sql.execute(insert, &[&id, &lease]).await.unwrap();
}

#[tokio::test]
async fn a_lease_that_ends_later_than_any_can_is_none() {
    let (cluster, store, _) = store().await;
    let (held, jumped) = (Uuid::now_v7(), Uuid::now_v7());
    let sql = sql(&cluster).await;
    for (id, lease) in [(held, LEASE), (jumped, LEASE * 1000)] {
        insert(&sql, id, Some(lease)).await;
    }
    let claimed = claim(&store).await;
    assert_eq!(claimed.iter().map(|it| it.id).collect::<Vec<_>>(), [jumped]);
    assert_eq!(claim(&store).await, []);
}

#[tokio::test]
async fn a_probe_changes_nothing_and_fails_where_nothing_can_be_written() {
    let (cluster, store, _) = store().await;
    store.probe().await.unwrap();
    let read_only = "ALTER DATABASE holdfast SET default_transaction_read_only = on";
    sql(&cluster).await.batch_execute(read_only).await.unwrap();
    let (database, resolver) = (
        crate::postgres::Database::parse(&cluster.url()).unwrap(),
        Resolver::new(Handle::current(), None),
    );
    let standby = Store::naive(&database, 1, resolver, Handle::current()).unwrap();
    assert!(standby.probe().await.is_err());
}

#[tokio::test]
async fn a_million_leased_rows_are_not_looked_at_for_a_free_one() {
    let (cluster, store, _) = store().await;
    let leased = "INSERT INTO requests (id, origin, lease_until) \
        SELECT gen_random_uuid(), 'resilient', now() + interval '20 s' FROM generate_series(1, 100000)";
    let sql = sql(&cluster).await;
    sql.batch_execute(leased).await.unwrap();
    let free = Uuid::max();
    insert(&sql, free, None).await;
    sql.batch_execute("ANALYZE requests").await.unwrap();
    sql.batch_execute("SELECT pg_stat_reset()").await.unwrap();
    assert_eq!(claim(&store).await[0].id, free);
    let read = "SELECT (SELECT coalesce(sum(idx_tup_read), 0) FROM pg_stat_user_indexes)::bigint, \
        (SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_user_tables)::bigint";
    // The session reports what it read a little later.
    let (by_index, by_scan) = loop {
        let row = sql.query_one(read, &[]).await.unwrap();
        let (by_index, by_scan): (i64, i64) = (row.get(0), row.get(1));
        if by_index + by_scan > 0 {
            break (by_index, by_scan);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(claim(&store).await, []);
    };
    assert!(by_index < 50 && by_scan == 0, "{by_index} and {by_scan}");
}
