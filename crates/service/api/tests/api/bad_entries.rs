//! What the journal holds, or Postgres does not take, is not worked for again.

use std::time::Duration;

use holdfast_testbed::proxy::Fault;
use holdfast_wire::{RecordedIn, RequestStatus, Status};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::recovery::{orphans, replica_over};
use crate::support::{Api, CountingWorker, System, TestConfig};

const POISON: &str = "\"poison\"";

/// Raises `sqlstate` where a row with the body `"poison"` is inserted, or done.
fn refuse(sqlstate: &str) -> String {
    format!(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
            IF NEW.payload::text = '\"poison\"' AND (TG_OP = 'INSERT' OR NEW.status = 'done') THEN \
                RAISE EXCEPTION 'no' USING ERRCODE = '{sqlstate}'; END IF; \
            RETURN NEW; END $$; \
        CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON requests FOR EACH ROW EXECUTE FUNCTION refuse()"
    )
}
const MEND: &str = "DROP TRIGGER refuse ON requests";

fn is_quarantined(status: &Status) -> bool {
    status.journal.as_ref().unwrap().quarantined == 1
}

/// Codes that are said to be of the session or of an operator's doing, and come from a trigger.
#[tokio::test]
async fn an_entry_that_is_refused_as_if_it_were_the_servers_trouble_holds_back_no_other() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    let sql = system.sql().await;
    sql.batch_execute(&refuse("25001")).await.unwrap();
    system.database.set(Fault::Refuse).await;
    for body in ["1", POISON, "3"] {
        assert_eq!(system.api.post_keyed(body, body).await.status, 200);
    }
    system.database.set(Fault::None).await;
    let one_is_left = |status: &Status| status.journal.as_ref().unwrap().entries == 1;
    let started = Instant::now();
    while !one_is_left(&system.api.status().await) {
        assert!(started.elapsed() < Duration::from_secs(20), "held back");
        sleep(Duration::from_millis(50)).await;
    }
    system.api.comes_to(is_quarantined).await;
    sql.batch_execute(MEND).await.unwrap();
    let started = Instant::now();
    while system.api.status().await.journal.unwrap().entries > 0 {
        assert!(started.elapsed() < Duration::from_secs(20), "held back");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_result_that_only_the_journal_has_is_not_worked_for_again() {
    let worker = CountingWorker::start(Duration::from_millis(300)).await;
    let system = System::start().await;
    system.worker.set(Fault::Refuse).await;
    let api = replica_over(&worker.url(), &system);
    api.becomes_healthy().await;
    let sql = system.sql().await;
    let cut_off = async {
        sleep(Duration::from_millis(150)).await;
        system.database.set(Fault::Refuse).await;
    };
    let (answer, ()) = tokio::join!(api.post_keyed("k", POISON), cut_off);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.processed().recorded_in, RecordedIn::Journal);
    sql.batch_execute(&refuse("42501")).await.unwrap();
    system.database.set(Fault::None).await;
    api.comes_to(is_quarantined).await;
    let calls = worker.calls();
    // Its lease is over after five seconds.
    sleep(Duration::from_secs(8)).await;
    assert_eq!(worker.calls(), calls);
    let id = answer.processed().request_id;
    api.comes_to_be(id, RequestStatus::Done).await;
    sql.batch_execute(MEND).await.unwrap();
    let done = "SELECT FROM requests WHERE id = $1 AND status = 'done'";
    let started = Instant::now();
    while sql.query_opt(done, &[&id]).await.unwrap().is_none() {
        assert!(started.elapsed() < Duration::from_secs(60), "still owed");
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(worker.calls(), calls);
}

#[tokio::test]
async fn a_result_that_postgres_refuses_fails_its_request_and_is_not_worked_for_again() {
    let system = System::start().await;
    let worker = CountingWorker::start(Duration::ZERO).await;
    system.worker.set(Fault::Refuse).await;
    let sql = system.sql().await;
    let check = "ALTER TABLE requests ADD CHECK (worker_response IS NULL)";
    sql.batch_execute(check).await.unwrap();
    let id = orphans(&system, 1).await[0];
    let api = replica_over(&worker.url(), &system);
    let failed = api.comes_to_be(id, RequestStatus::Failed).await;
    assert!(failed.error.unwrap().contains("23514"));
    assert_eq!(worker.calls(), 1);
    assert_eq!(api.status().await.journal.unwrap().entries, 0);
}

#[tokio::test]
async fn open_work_waits_for_a_journal_that_cannot_be_read() {
    let system = System::start().await;
    system.worker.set(Fault::Refuse).await;
    let worker = CountingWorker::start(Duration::ZERO).await;
    let config = TestConfig {
        worker_url: worker.url(),
        ..system.api.config.of_a_replica()
    };
    // Where its folder should be there is a file.
    let folder = config.journal.path().to_owned();
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::write(&folder, "in the way").unwrap();
    let api = Api::start(config);
    api.becomes_healthy().await;
    let calls = worker.calls();
    let ids: Vec<Uuid> = orphans(&system, 3).await;
    sleep(Duration::from_secs(4)).await;
    assert_eq!(worker.calls(), calls);
    std::fs::remove_file(&folder).unwrap();
    for id in ids {
        api.comes_to_be(id, RequestStatus::Done).await;
    }
}
