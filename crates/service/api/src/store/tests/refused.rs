//! One row that Postgres refuses to change, to delete or to show, and all the others.

use holdfast_wire::RequestStatus;
use tokio::time::sleep;
use tokio_postgres::Client;

use super::*;
use crate::store::{CompletedOpen, Filter, OperatorStore, ReadStore};

const LIMIT: Duration = Duration::from_secs(5);

/// Refuses what concerns a row with the body `"poison"`.
async fn refuse(sql: &Client, event: &str, sqlstate: &str) {
    let trigger = format!(
        "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         IF OLD.payload::text = '\"poison\"' THEN RAISE EXCEPTION 'no' USING ERRCODE = '{sqlstate}'; END IF; \
         RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END; END $$; \
         DROP TRIGGER IF EXISTS refuse ON requests; \
         CREATE TRIGGER refuse BEFORE {event} ON requests FOR EACH ROW EXECUTE FUNCTION refuse();"
    );
    sql.batch_execute(&trigger).await.unwrap();
}

/// Rows of this status, as many as were asked for; the first so many are poison.
async fn rows(sql: &Client, status: &str, poison: usize, all: usize) -> Vec<Uuid> {
    let mut ids = vec![];
    for number in 0..all {
        let id = Uuid::now_v7();
        let body = if number < poison { "\"poison\"" } else { "1" };
        let insert = "INSERT INTO requests (id, origin, payload, status, completed_at) \
            VALUES ($1, 'resilient', $2::text::json, $3, CASE WHEN $3 <> 'received' THEN now() - interval '1 hour' END)";
        sql.execute(insert, &[&id, &body, &status]).await.unwrap();
        ids.push(id);
    }
    ids
}

fn reads(store: &Store) -> ReadStore {
    ReadStore::new(dependency(), store, LIMIT)
}

#[tokio::test]
async fn a_row_whose_claim_is_refused_holds_back_no_other_and_is_passed_over() {
    for sqlstate in ["P0001", "XX001", "0A000"] {
        let (cluster, store, _live) = store().await;
        let sql = sql(&cluster).await;
        let ids = rows(&sql, "received", 3, 20).await;
        refuse(&sql, "UPDATE", sqlstate).await;
        let mut claimed: Vec<Uuid> = vec![];
        for limit in [1, 10, 20] {
            let some = store.claim(limit, LEASE, LEASE * 2).await.unwrap();
            assert!(some.len() <= limit as usize);
            claimed.extend(some.into_iter().map(|it| it.claimed.id));
        }
        claimed.sort_unstable();
        assert_eq!(claimed, ids[3..], "{sqlstate}");
    }
}

#[tokio::test]
async fn where_every_claim_is_refused_the_statement_is_blamed() {
    let (cluster, store, _live) = store().await;
    let sql = sql(&cluster).await;
    rows(&sql, "received", 20, 20).await;
    refuse(&sql, "UPDATE", "P0001").await;
    store.claim(10, LEASE, LEASE * 2).await.unwrap_err();
}

#[tokio::test]
async fn a_row_that_cannot_be_deleted_keeps_no_other() {
    let (cluster, store, _live) = store().await;
    let sql = sql(&cluster).await;
    rows(&sql, "done", 2, 10).await;
    rows(&sql, "cancelled", 1, 5).await;
    let stay = rows(&sql, "failed", 0, 1).await;
    refuse(&sql, "DELETE", "P0001").await;
    assert!(store.oldest_kept(None).await.unwrap().is_some());
    let forgotten = store.forget(LEASE, 100, None).await.unwrap();
    assert_eq!(forgotten.rows, 12);
    assert_eq!(store.forget(LEASE, 100, None).await.unwrap().rows, 0);
    assert_eq!(store.oldest_kept(None).await.unwrap(), None, "no lag");
    let left = "SELECT id FROM requests WHERE payload::text <> '\"poison\"'";
    let left = sql.query(left, &[]).await.unwrap();
    let left: Vec<Uuid> = left.iter().map(|row| row.get(0)).collect();
    assert_eq!(left, stay);
}

#[tokio::test]
async fn what_cannot_be_owed_again_stays_failed_and_its_order_ends() {
    let (cluster, store, _live) = store().await;
    let sql = sql(&cluster).await;
    let ids = rows(&sql, "failed", 2, 12).await;
    refuse(&sql, "UPDATE", "P0001").await;
    let operator = OperatorStore::new(reads(&store));
    assert_eq!(operator.order_requeue().await.unwrap(), 12);
    let mut ordered_at = None;
    for _ in 0..50 {
        sleep(Duration::from_millis(20)).await;
        if let Some(moved) = operator.requeue(1000.0).await.unwrap() {
            ordered_at = Some(moved.ordered_at);
            if moved.count == 0 {
                break;
            }
        }
    }
    operator.end_requeue(ordered_at.unwrap()).await.unwrap();
    let orders = sql.query("SELECT FROM requeue_orders", &[]).await.unwrap();
    assert!(orders.is_empty());
    let open = "SELECT id FROM requests WHERE status = 'received' ORDER BY id";
    let open = sql.query(open, &[]).await.unwrap();
    let open: Vec<Uuid> = open.iter().map(|row| row.get(0)).collect();
    assert_eq!(open, ids[2..]);
}

/// As if what lies behind the column were damaged.
const DAMAGED: &str = "UPDATE requests SET worker_response = payload; ALTER TABLE requests RENAME TO whole; \
    CREATE FUNCTION read(json) RETURNS json STABLE LANGUAGE plpgsql AS $$ BEGIN \
        IF $1::text = '\"poison\"' THEN RAISE EXCEPTION 'missing chunk' USING ERRCODE = 'XX001'; END IF; RETURN $1; END $$; \
    CREATE VIEW requests AS SELECT id, origin, payload, status, read(worker_response) AS worker_response, attempts, error, \
        received_at, completed_at, lease_until, recorded_at FROM whole";

#[tokio::test]
async fn a_row_that_cannot_be_read_hides_no_other() {
    let (cluster, store, _live) = store().await;
    let sql = sql(&cluster).await;
    let ids = rows(&sql, "done", 2, 10).await;
    sql.batch_execute(DAMAGED).await.unwrap();
    let reads = reads(&store);
    let mut found: Vec<Uuid> = reads
        .find_all(ids.clone())
        .await
        .unwrap()
        .iter()
        .map(|it| it.request_id)
        .collect();
    found.sort_unstable();
    assert_eq!(found, ids[2..]);
    let filter = Filter {
        status: Some(RequestStatus::Done),
        order: Default::default(),
        limit: 50,
    };
    let list = reads.list(filter).await.unwrap();
    assert_eq!((list.total, list.requests.len()), (10, 8));
}

#[tokio::test]
async fn a_result_that_is_refused_and_one_that_comes_after_a_cancel_are_told_from_one_that_is_recorded()
 {
    let (cluster, store, _live) = store().await;
    let sql = sql(&cluster).await;
    let ids = rows(&sql, "received", 1, 2).await;
    let cancelled = rows(&sql, "cancelled", 0, 1).await[0];
    refuse(&sql, "UPDATE", "P0001").await;
    let complete = |id| store.complete_open(id, "1", 1);
    let refused = complete(ids[0]).await.unwrap();
    assert!(matches!(refused, CompletedOpen::Refused(error) if error.contains("P0001")));
    assert_eq!(complete(ids[1]).await.unwrap(), CompletedOpen::Recorded);
    for id in [ids[1], Uuid::now_v7()] {
        assert_eq!(complete(id).await.unwrap(), CompletedOpen::Untouched);
    }
    assert_eq!(complete(cancelled).await.unwrap(), CompletedOpen::Cancelled);
}
