//! What an answer says is so: promises with a row behind them, keys that are known, commits that were confirmed.

use std::time::Duration;

use holdfast_testbed::proxy::Fault;
use holdfast_wire::{DegradedCode, Problem, RecordedIn, RequestStatus, Schema};
use tokio::time::sleep;

use crate::support::{Answer, System};

const DATABASE: DegradedCode = DegradedCode::DbUnavailable;

/// A call whose work is under way when `meanwhile` is run in Postgres.
async fn process_while(system: &System, meanwhile: &str) -> Answer {
    let break_it = async {
        let sql = system.sql().await;
        let open = "SELECT count(*) FROM requests WHERE status = 'received'";
        while sql.query_one(open, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            sleep(Duration::from_millis(10)).await;
        }
        sql.batch_execute(meanwhile).await.unwrap();
    };
    tokio::join!(system.api.post_keyed("k", "1"), break_it).0
}

#[tokio::test]
async fn a_request_that_vanished_during_its_work_is_recorded_anew() {
    let system = System::with("", Duration::from_millis(400)).await;
    let gone = "DELETE FROM requests WHERE status = 'received'";
    let answer = process_while(&system, gone).await;
    assert_eq!(answer.status, 200);
    let promised = answer.processed();
    assert_eq!(promised.recorded_in, RecordedIn::Database);
    let recorded = system
        .api
        .comes_to_be(promised.request_id, RequestStatus::Done)
        .await;
    assert_eq!(recorded.worker_response, promised.worker_response);
    let again = system.api.post_keyed("k", "1").await;
    assert_eq!(again.processed().request_id, promised.request_id);
}

#[tokio::test]
async fn an_end_that_came_first_is_the_answer() {
    let system = System::with("", Duration::from_millis(400)).await;
    let failed = "UPDATE requests SET status = 'failed', error = 'no', completed_at = now() \
        WHERE status = 'received'";
    let answer = process_while(&system, failed).await;
    assert_eq!(answer.status, 409, "{answer:?}");
    assert_eq!(answer.problem().code.as_str(), "request_failed");
}

#[tokio::test]
async fn a_finished_key_is_answered_while_postgres_is_gone() {
    let system = System::start().await;
    let first = system.api.post_keyed("k", "1").await;
    assert_eq!(first.status, 200);
    let touched = system.worker.accepted();
    system.database.set(Fault::Refuse).await;
    for _ in 0..6 {
        let again = system.api.post_keyed("k", "1").await;
        assert_eq!(again.status, 200, "{again:?}");
        assert_eq!(again.processed().request_id, first.processed().request_id);
        assert_eq!(
            again.processed().worker_response,
            first.processed().worker_response
        );
        assert!(!again.degraded().is_empty(), "{again:?}");
        assert_eq!(system.api.post_keyed("k", "2").await.status, 422);
    }
    assert_eq!(system.worker.accepted(), touched);
    assert_eq!(system.api.status().await.journal.unwrap().entries, 0);
    system.database.set(Fault::None).await;
    system.api.becomes_healthy().await;
    let again = system.api.post_keyed("k", "1").await;
    assert!(again.degraded().is_empty(), "{again:?}");
}

#[tokio::test]
async fn a_key_in_the_journal_is_known_while_postgres_takes_all_but_its_entry() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    system.database.set(Fault::Refuse).await;
    let first = system.api.post_keyed("k", "1").await;
    assert_eq!(first.processed().recorded_in, RecordedIn::Journal);
    let id = first.processed().request_id;
    let refuse = format!(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
            IF NEW.id = '{id}' THEN RAISE EXCEPTION 'no' USING ERRCODE = '42501'; END IF; \
            RETURN NEW; END $$; \
        CREATE TRIGGER refuse BEFORE INSERT ON requests FOR EACH ROW EXECUTE FUNCTION refuse()"
    );
    let sql = system.sql().await;
    sql.batch_execute(&refuse).await.unwrap();
    system.database.set(Fault::None).await;
    system
        .api
        .comes_to(|status| status.journal.as_ref().unwrap().quarantined == 1)
        .await;
    let again = system.api.post_keyed("k", "1").await;
    assert_eq!(again.processed().request_id, id, "{again:?}");
    assert_eq!(again.processed().recorded_in, RecordedIn::Journal);
    let mend = "DROP TRIGGER refuse ON requests";
    sql.batch_execute(mend).await.unwrap();
    system.api.journal_empties().await;
    let again = system.api.post_keyed("k", "1").await;
    assert_eq!(again.processed().request_id, id, "{again:?}");
}

#[tokio::test]
async fn a_finished_key_is_answered_while_nothing_new_is_admitted() {
    let system = System::with("recovery.max_open = 1", Duration::from_millis(50)).await;
    let first = system.api.post_keyed("k", "1").await;
    assert_eq!(first.status, 200);
    system.worker.set(Fault::Refuse).await;
    while system.api.process().await.status == 202 {}
    let again = system.api.post_keyed("k", "1").await;
    assert_eq!(again.status, 200, "{again:?}");
    assert_eq!(again.processed().request_id, first.processed().request_id);
    let other = system.api.post_keyed("other", "1").await;
    assert_eq!((other.status.as_u16(), other.retry_after), (503, Some(1)));
    assert_eq!(other.problem().code.as_str(), "overloaded");
    system.worker.set(Fault::None).await;
    system.api.becomes_healthy().await;
}

#[tokio::test]
async fn a_commit_that_no_standby_confirmed_is_not_said_to_be_in_the_database() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    let sql = system.sql().await;
    let standby = async |name: &str| {
        let set = format!("ALTER SYSTEM SET synchronous_standby_names = '{name}'");
        sql.batch_execute(&set).await.unwrap();
        sql.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    };
    standby("ghost").await;
    sleep(Duration::from_millis(200)).await;
    let answer = system.api.post_keyed("k", "1").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.processed().recorded_in, RecordedIn::Journal);
    let again = system.api.post_keyed("k", "1").await;
    assert_eq!(again.processed().request_id, answer.processed().request_id);
    assert_eq!(again.processed().recorded_in, RecordedIn::Journal);
    standby("").await;
    system.api.becomes_healthy().await;
    system.api.journal_empties().await;
    let id = answer.processed().request_id;
    system.api.comes_to_be(id, RequestStatus::Done).await;
}

#[tokio::test]
async fn a_missing_table_is_named_and_takes_postgres_from_nobody_else() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    system
        .api
        .comes_to(|status| status.dependencies.database.schema == Schema::Current)
        .await;
    let sql = system.sql().await;
    let rename = "ALTER TABLE idempotency_keys RENAME TO elsewhere";
    sql.batch_execute(rename).await.unwrap();
    for number in 0..3 {
        let keyed = system.api.post_keyed(&number.to_string(), "1").await;
        assert_eq!(keyed.reason(DATABASE).as_str(), "schema_outdated");
        assert_eq!(keyed.processed().recorded_in, RecordedIn::Journal);
    }
    let plain = system.api.process().await;
    assert_eq!(plain.processed().recorded_in, RecordedIn::Database);
    let rename = "ALTER TABLE elsewhere RENAME TO idempotency_keys";
    sql.batch_execute(rename).await.unwrap();
    system.api.journal_empties().await;
    let keyed = system.api.post_keyed("another", "1").await;
    assert!(keyed.degraded().is_empty(), "{keyed:?}");
}

#[tokio::test]
async fn a_client_that_left_leaves_its_request_to_recovery_at_once() {
    let system = System::with("", Duration::from_millis(400)).await;
    system.api.becomes_healthy().await;
    let impatient = reqwest::Client::builder()
        .timeout(Duration::from_millis(150))
        .build()
        .unwrap();
    let url = format!("{}/process", system.api.base);
    let left = impatient.post(url).header("idempotency-key", "k").send();
    assert!(left.await.is_err());
    // Well before its lease of five seconds is over.
    let again = system.api.post_keyed("k", "").await;
    assert!(again.status.is_success(), "{again:?}");
    let id = again.processed().request_id;
    let started = tokio::time::Instant::now();
    system.api.comes_to_be(id, RequestStatus::Done).await;
    assert!(started.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn an_unreadable_query_of_a_gone_request_is_a_404_only_if_postgres_said_so() {
    let system = System::start().await;
    let unknown = "/requests/0198c0de-0000-7000-8000-000000000000";
    assert_eq!(system.api.get(unknown).await.status(), 404);
    system.database.set(Fault::Refuse).await;
    let response = system.api.get(unknown).await;
    assert_eq!(response.status(), 503);
    let problem: Problem = response.json().await.unwrap();
    assert_eq!(problem.code.as_str(), "db_unavailable");
    system.database.set(Fault::None).await;
    system.api.becomes_healthy().await;
    assert_eq!(system.api.get(unknown).await.status(), 404);
}
