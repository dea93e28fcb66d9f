//! What the journal holds on its way to Postgres: what cannot be brought over, and what is there already.

use std::time::Duration;

use holdfast_testbed::proxy::Fault;
use holdfast_wire::{Breaker, RecordedIn, RequestStatus, Status};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::recovery::replica_over;
use crate::support::{Api, ScriptedWorker, System};

/// Raises `sqlstate` for the body `"poison"`.
fn poison(sqlstate: &str) -> String {
    format!(
        "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
            IF NEW.payload::text = '\"poison\"' THEN RAISE EXCEPTION 'no' USING ERRCODE = '{sqlstate}'; END IF; \
            RETURN NEW; END $$; \
        CREATE TRIGGER poison BEFORE INSERT ON requests FOR EACH ROW EXECUTE FUNCTION poison()"
    )
}

/// Three requests that are in the journal when Postgres, which refuses the second, is back.
async fn with_poison(system: &System, sqlstate: &str, expected: u16) -> [Uuid; 3] {
    system.api.becomes_healthy().await;
    let sql = system.sql().await;
    sql.batch_execute(&poison(sqlstate)).await.unwrap();
    system.database.set(Fault::Refuse).await;
    if expected == 202 {
        system.worker.set(Fault::Refuse).await;
    }
    let mut ids = [Uuid::nil(); 3];
    for (id, body) in ids.iter_mut().zip(["1", "\"poison\"", "3"]) {
        let answer = system.api.post_keyed(body, body).await;
        assert_eq!(answer.status, expected, "{answer:?}");
        *id = answer.processed().request_id;
    }
    system.database.set(Fault::None).await;
    system.worker.set(Fault::None).await;
    // The others do not wait for it.
    system.api.comes_to_be(ids[0], RequestStatus::Done).await;
    system.api.comes_to_be(ids[2], RequestStatus::Done).await;
    ids
}

#[tokio::test]
async fn what_was_only_accepted_and_postgres_refuses_for_any_reason_fails_alone() {
    for sqlstate in ["23514", "P0001", "42501", "XX001", "0A000"] {
        let system = System::start().await;
        let ids = with_poison(&system, sqlstate, 202).await;
        let failed = system.api.comes_to_be(ids[1], RequestStatus::Failed).await;
        assert!(failed.error.unwrap().contains(sqlstate));
        system.api.journal_empties().await;
        let status = system.api.status().await;
        assert_eq!(status.dependencies.database.breaker, Breaker::Closed);
        assert_eq!(status.journal.unwrap().quarantined, 0);
        let answer = system.api.process().await;
        assert_eq!(answer.processed().recorded_in, RecordedIn::Database);
    }
}

#[tokio::test]
async fn a_result_that_was_told_stays_in_the_journal_until_postgres_takes_it() {
    for sqlstate in ["23514", "42501"] {
        let system = System::start().await;
        let ids = with_poison(&system, sqlstate, 200).await;
        let quarantined = |status: &Status| status.journal.as_ref().unwrap().quarantined == 1;
        system.api.comes_to(quarantined).await;
        system.api.comes_to_be(ids[1], RequestStatus::Done).await;
        let again = system.api.post_keyed("\"poison\"", "\"poison\"").await;
        assert_eq!(again.status, 200, "{again:?}");
        assert_eq!(again.processed().request_id, ids[1]);
        assert_eq!(again.processed().recorded_in, RecordedIn::Journal);
        let sql = system.sql().await;
        let mend = "DROP TRIGGER poison ON requests";
        sql.batch_execute(mend).await.unwrap();
        system.api.journal_empties().await;
        let there = "SELECT FROM requests WHERE id = $1 AND status = 'done'";
        sql.query_one(there, &[&ids[1]]).await.unwrap();
    }
}

/// A sequence counts also what is rolled back, so the trigger can refuse so many tries and no more.
const REFUSES_FOUR_TIMES: &str = "CREATE SEQUENCE tries; GRANT USAGE ON SEQUENCE tries TO holdfast_api; \
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
        IF nextval('tries') <= 4 THEN RAISE EXCEPTION 'no' USING ERRCODE = '42501'; END IF; \
        RETURN NEW; END $$; \
    CREATE TRIGGER refuse BEFORE INSERT ON requests FOR EACH ROW EXECUTE FUNCTION refuse()";

#[tokio::test]
async fn what_was_accepted_stays_owed_if_postgres_is_mended_right_after_the_fourth_refusal() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    let sql = system.sql().await;
    system.database.set(Fault::Refuse).await;
    system.worker.set(Fault::Refuse).await;
    let answer = system.api.process().await;
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!(answer.processed().recorded_in, RecordedIn::Journal);
    sql.batch_execute(REFUSES_FOUR_TIMES).await.unwrap();
    system.database.set(Fault::None).await;
    let id = answer.processed().request_id;
    let started = Instant::now();
    // Its pauses in quarantine are seven seconds.
    let there = "SELECT FROM requests WHERE id = $1";
    while sql.query_opt(there, &[&id]).await.unwrap().is_none() {
        assert!(started.elapsed() < Duration::from_secs(20), "held back");
        sleep(Duration::from_millis(50)).await;
    }
    system.worker.set(Fault::None).await;
    system.api.journal_empties().await;
    system.api.comes_to_be(id, RequestStatus::Done).await;
    let tries = sql.query_one("SELECT last_value FROM tries", &[]).await;
    assert_eq!(tries.unwrap().get::<_, i64>(0), 5);
}

#[tokio::test]
async fn an_entry_behind_somebodys_lock_waits_alone_and_is_brought_over_afterwards() {
    let system = System::with("", Duration::from_millis(400)).await;
    system.api.becomes_healthy().await;
    let mut sql = system.sql().await;
    let lock = async {
        sleep(Duration::from_millis(200)).await;
        let locked = sql.transaction().await.unwrap();
        let id = locked
            .query_one(
                "SELECT id FROM requests WHERE status = 'received' FOR UPDATE",
                &[],
            )
            .await
            .unwrap();
        system.database.set(Fault::Refuse).await;
        (locked, id.get::<_, Uuid>(0))
    };
    // Received in Postgres, its result goes to the journal.
    let (answer, (locked, id)) = tokio::join!(system.api.process(), lock);
    assert_eq!(answer.processed().request_id, id);
    assert_eq!(answer.processed().recorded_in, RecordedIn::Journal);
    let other = system.api.process().await.processed().request_id;
    system.database.set(Fault::None).await;
    let sql = system.sql().await;
    let started = Instant::now();
    let done = "SELECT FROM requests WHERE id = $1 AND status = 'done'";
    while sql.query_opt(done, &[&other]).await.unwrap().is_none() {
        assert!(started.elapsed() < Duration::from_secs(10), "held back");
        sleep(Duration::from_millis(50)).await;
    }
    system
        .api
        .comes_to(|status| status.journal.as_ref().unwrap().quarantined == 1)
        .await;
    locked.rollback().await.unwrap();
    system.api.journal_empties().await;
    assert!(sql.query_opt(done, &[&id]).await.unwrap().is_some());
}

#[tokio::test]
async fn what_a_client_was_told_stands_although_another_replica_had_the_work_done_again() {
    let system = System::start().await;
    let worker = ScriptedWorker::counting(Duration::from_millis(400)).await;
    system.worker.set(Fault::Refuse).await;
    let mut told = replica_over(&worker.url(), &system);
    told.becomes_healthy().await;
    let cut_off = async {
        sleep(Duration::from_millis(200)).await;
        system.database.set(Fault::Refuse).await;
    };
    let (answer, ()) = tokio::join!(told.process(), cut_off);
    let answer = answer.processed();
    assert_eq!(answer.recorded_in, RecordedIn::Journal);
    let (id, response) = (answer.request_id, answer.worker_response.clone().unwrap());
    // It dies with the result in its journal; another replica finds an open row and has the work done again.
    told.stop();
    told.stopped().await;
    system.database.set(Fault::None).await;
    let mut other = replica_over(&worker.url(), &system);
    let again = other.comes_to_be(id, RequestStatus::Done).await;
    assert_ne!(again.worker_response.unwrap(), response);
    other.stop();
    other.stopped().await;
    let told = Api::start(told.config.clone());
    told.journal_empties().await;
    let sql = system.sql().await;
    let kept = "SELECT worker_response::text FROM requests WHERE id = $1";
    let row = sql.query_one(kept, &[&id]).await.unwrap();
    assert_eq!(row.get::<_, String>(0), response.get());
    let conflict = "SELECT kept::text FROM result_conflicts WHERE request_id = $1";
    let row = sql.query_one(conflict, &[&id]).await.unwrap();
    assert_eq!(row.get::<_, String>(0), response.get());
    let conflicts = "holdfast_recovery_total{what=\"conflict\"}";
    assert_eq!(told.metrics().await.count(conflicts), 1);
}

#[tokio::test]
async fn a_row_that_vanishes_under_recovery_is_recorded_anew_and_whole() {
    let system = System::with("", Duration::from_millis(500)).await;
    system.api.becomes_healthy().await;
    system.worker.set(Fault::Refuse).await;
    let deferred = system.api.post_keyed("k", "{\"n\": 1}").await;
    let id = deferred.processed().request_id;
    system.worker.set(Fault::None).await;
    system
        .api
        .comes_to(|status| status.recovery.in_flight == 1)
        .await;
    sleep(Duration::from_millis(200)).await;
    let sql = system.sql().await;
    sql.execute("DELETE FROM requests WHERE id = $1", &[&id])
        .await
        .unwrap();
    system.api.comes_to_be(id, RequestStatus::Done).await;
    let row = sql
        .query_one("SELECT payload::text FROM requests WHERE id = $1", &[&id])
        .await
        .unwrap();
    assert_eq!(row.get::<_, String>(0), "{\"n\": 1}");
    let again = system.api.post_keyed("k", "{\"n\": 1}").await;
    assert_eq!(again.processed().request_id, id);
}
