//! What a client was told stays recorded, and is read under its key unless that stands for another request by now: as after a
//! failover to a standby that lagged, which other replicas and recovery have worked on since.

use std::time::Duration;

use holdfast_wire::{DegradedCode, RecordedIn};
use jiff::Timestamp;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::support::{Answer, System};

const KEY: &str = "told";
const ROW: &str =
    "SELECT status, worker_response::text, completed_at, attempts FROM requests WHERE id = $1";
const FORGET: &str = "DELETE FROM requests; DELETE FROM idempotency_keys";
const REFUSE: &str = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$; \
    CREATE TRIGGER refuse BEFORE INSERT ON requests FOR EACH ROW EXECUTE FUNCTION refuse()";
const MEND: &str = "DROP TRIGGER refuse ON requests";

/// A system over which a client was told a result, and when that was there.
async fn told(policies: &str) -> (System, Client, Answer, Timestamp) {
    let system = System::with(policies, Duration::ZERO).await;
    system.api.becomes_healthy().await;
    let sql = system.sql().await;
    let told = system.api.post_keyed(KEY, "1").await;
    assert_eq!(told.processed().recorded_in, RecordedIn::Database);
    (system, sql, told, Timestamp::now())
}

/// Asks again and is told the same.
async fn ask_again(system: &System, told: &Answer) -> Answer {
    let again = system.api.post_keyed(KEY, "1").await;
    assert_eq!(again.status, 200, "{again:?}");
    let (first, second) = (told.processed(), again.processed());
    assert_eq!(second.request_id, first.request_id);
    assert_eq!(second.worker_response, first.worker_response);
    again
}

/// Its row has what was told, and not a later date than that had.
async fn is_recorded(sql: &Client, told: &Answer, at: Timestamp) {
    let told = told.processed();
    let row = sql.query_one(ROW, &[&told.request_id]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0), "done");
    let response = told.worker_response.as_ref().unwrap().get();
    assert_eq!(row.get::<_, &str>(1), response);
    assert!(row.get::<_, Timestamp>(2) <= at, "dated anew");
    assert_eq!(row.get::<_, i32>(3), 1);
}

#[tokio::test]
async fn a_told_result_replaces_another_end_and_the_conflict_is_kept() {
    for other in [
        "UPDATE requests SET status = 'failed', error = 'no', worker_response = NULL, completed_at = now()",
        "UPDATE requests SET worker_response = '{\"other\":1}', completed_at = now() + interval '1 second'",
        "UPDATE requests SET status = 'cancelled', worker_response = NULL, completed_at = now()",
    ] {
        let (system, sql, told, at) = told("").await;
        sql.batch_execute(other).await.unwrap();
        let again = ask_again(&system, &told).await;
        assert_eq!(again.processed().recorded_in, RecordedIn::Database);
        assert!(again.degraded().is_empty(), "{again:?}");
        is_recorded(&sql, &told, at).await;
        let id = told.processed().request_id;
        let conflict = "SELECT FROM result_conflicts WHERE request_id = $1";
        sql.query_one(conflict, &[&id]).await.unwrap();
        ask_again(&system, &told).await;
        sql.query_one(conflict, &[&id]).await.unwrap();
    }
}

#[tokio::test]
async fn of_two_results_the_earlier_stands_and_is_what_is_read_though_the_other_was_told() {
    let (system, sql, told, _) = told("").await;
    let earlier = "UPDATE requests SET worker_response = '{\"other\":1}', completed_at = now() - interval '1 hour'";
    sql.batch_execute(earlier).await.unwrap();
    for _ in 0..2 {
        let again = system.api.post_keyed(KEY, "1").await;
        assert_eq!(again.status, 200, "{again:?}");
        let again = again.processed();
        assert_eq!(again.request_id, told.processed().request_id);
        assert_eq!(again.recorded_in, RecordedIn::Database);
        assert_eq!(
            again.worker_response.as_ref().unwrap().get(),
            "{\"other\":1}"
        );
    }
    let conflicts = sql.query("SELECT FROM result_conflicts", &[]).await;
    assert_eq!(conflicts.unwrap().len(), 1);
}

#[tokio::test]
async fn a_result_told_under_a_key_that_another_request_has_by_now_is_put_back_and_the_key_stays_with_that()
 {
    let (system, sql, told, at) = told("").await;
    sql.batch_execute(FORGET).await.unwrap();
    let other = Uuid::now_v7();
    let insert = "WITH row AS (INSERT INTO requests (id, origin, payload, status, worker_response, completed_at) \
        VALUES ($1, 'resilient', '1', 'done', '{\"other\":1}', now())) \
        INSERT INTO idempotency_keys (key, request_id) VALUES ($2, $1)";
    sql.execute(insert, &[&other, &KEY]).await.unwrap();
    let again = system.api.post_keyed(KEY, "1").await;
    assert_eq!(again.status, 200, "{again:?}");
    assert_eq!(again.processed().request_id, other);
    is_recorded(&sql, &told, at).await;
    let holder = "SELECT request_id FROM idempotency_keys WHERE key = $1";
    let holder = sql.query_one(holder, &[&KEY]).await.unwrap();
    assert_eq!(holder.get::<_, Uuid>(0), other);
}

#[tokio::test]
async fn what_postgres_does_not_take_back_is_told_from_the_journal_until_it_does() {
    let (system, sql, told, at) = told("").await;
    sql.batch_execute(FORGET).await.unwrap();
    sql.batch_execute(REFUSE).await.unwrap();
    for _ in 0..2 {
        let again = ask_again(&system, &told).await;
        assert_eq!(again.processed().recorded_in, RecordedIn::Journal);
        assert_eq!(again.degraded()[0].code, DegradedCode::DbUnavailable);
    }
    sql.batch_execute(MEND).await.unwrap();
    system.api.journal_empties().await;
    let again = ask_again(&system, &told).await;
    assert_eq!(again.processed().recorded_in, RecordedIn::Database);
    is_recorded(&sql, &told, at).await;
}

#[tokio::test]
async fn what_can_be_put_back_nowhere_is_no_answer_until_it_can() {
    let (system, sql, told, at) = told("database.on_unavailable = 'reject'").await;
    sql.batch_execute(FORGET).await.unwrap();
    sql.batch_execute(REFUSE).await.unwrap();
    let refused = system.api.post_keyed(KEY, "1").await;
    assert_eq!(refused.status, 503, "{refused:?}");
    assert_eq!(refused.degraded()[0].code, DegradedCode::DbUnavailable);
    sql.batch_execute(MEND).await.unwrap();
    ask_again(&system, &told).await;
    is_recorded(&sql, &told, at).await;
}
