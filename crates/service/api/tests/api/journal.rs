//! The journal as clients see it.

use std::time::Duration;

use holdfast_testbed::proxy::Fault;
use holdfast_wire::{DegradedCode, RecordedIn, RequestList, RequestStatus};

use crate::support::{Api, System, TestConfig};

const DATABASE: DegradedCode = DegradedCode::DbUnavailable;

#[tokio::test]
async fn what_was_accepted_without_postgres_survives_a_restart() {
    let mut system = System::start().await;
    system.api.becomes_healthy().await;
    system.database.set(Fault::Refuse).await;
    let done = system.api.process().await.processed().request_id;
    system.worker.set(Fault::Refuse).await;
    let open = system.api.process().await.processed().request_id;
    system.api.stop();
    system.api.stopped().await;

    system.api = Api::start(system.api.config.clone());
    let journal = system.api.status().await.journal.unwrap();
    assert_eq!((journal.available, journal.entries), (true, 2));
    assert!(journal.bytes > 0 && journal.oldest_seconds.unwrap() > 0.0);
    system.api.comes_to_be(done, RequestStatus::Done).await;
    system.worker.set(Fault::None).await;
    system.database.set(Fault::None).await;
    system.api.journal_empties().await;
    for id in [done, open] {
        system.api.comes_to_be(id, RequestStatus::Done).await;
    }
}

#[tokio::test]
async fn without_postgres_and_without_a_journal_nothing_is_promised() {
    let mut system = System::start().await;
    system.api.stop();
    system.api.stopped().await;
    // Where its folder should be there is a file.
    let folder = system.api.config.journal.path().to_owned();
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::write(&folder, "in the way").unwrap();
    system.api = Api::start(system.api.config.clone());
    system.api.becomes_healthy().await;
    assert!(!system.api.status().await.journal.unwrap().available);

    system.database.set(Fault::Refuse).await;
    let touched = system.worker.accepted();
    let answer = system.api.process().await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.problem().code.as_str(), "db_unavailable");
    let detail = &answer.degraded()[0].detail;
    assert!(
        detail.contains("the journal's folder cannot be used"),
        "{detail}"
    );
    assert_eq!(system.worker.accepted(), touched);
    assert_eq!(system.api.get("/readyz").await.status(), 200);

    std::fs::remove_file(&folder).unwrap();
    system
        .api
        .comes_to(|status| status.journal.as_ref().unwrap().available)
        .await;
    let answer = system.api.process().await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.processed().recorded_in, RecordedIn::Journal);
    system.database.set(Fault::None).await;
    system.api.becomes_healthy().await;
}

#[tokio::test]
async fn a_full_journal_refuses_until_postgres_has_taken_what_it_holds() {
    let system = System::with("journal.max_bytes = 4194304", Duration::ZERO).await;
    system.api.becomes_healthy().await;
    system.database.set(Fault::Refuse).await;
    system.worker.set(Fault::Refuse).await;
    let body = format!("\"{}\"", "x".repeat(60_000));
    let mut accepted = Vec::new();
    let refused = loop {
        let key = accepted.len().to_string();
        let answer = system.api.post_keyed(&key, &body).await;
        if answer.status != 202 {
            break answer;
        }
        accepted.push(answer.processed().request_id);
        assert!(accepted.len() < 100, "it never is full");
    };
    assert_eq!(refused.status, 503);
    assert!(
        refused
            .degraded()
            .iter()
            .any(|it| it.code == DATABASE && it.detail.contains("4194304"))
    );
    assert!(accepted.len() > 5, "{}", accepted.len());

    system.database.set(Fault::None).await;
    system.worker.set(Fault::None).await;
    system.api.becomes_healthy().await;
    system.api.journal_empties().await;
    for id in accepted {
        system.api.comes_to_be(id, RequestStatus::Done).await;
    }
    system.database.set(Fault::Refuse).await;
    let answer = system.api.post_keyed("again", &body).await;
    assert_eq!(
        (answer.status.as_u16(), answer.processed().recorded_in),
        (200, RecordedIn::Journal)
    );
}

#[tokio::test]
async fn two_processes_cannot_share_a_journal() {
    let system = System::start().await;
    let error = system.api.config.build().err().unwrap();
    assert!(error.is_configuration());
    assert!(
        error.to_string().starts_with("HOLDFAST_JOURNAL_DIR: "),
        "{error}"
    );
    assert!(error.to_string().contains("in use"), "{error}");
    assert_eq!(system.api.process().await.status, 200);
}

#[tokio::test]
async fn what_the_journal_holds_is_listed_once_postgres_answers_as_well() {
    let system = System::start().await;
    let first = system.api.process().await.processed().request_id;
    // A row that Postgres will not take keeps its entry in the journal.
    let sql = system.sql().await;
    sql.batch_execute("ALTER TABLE requests ADD CHECK (origin <> 'resilient') NOT VALID")
        .await
        .unwrap();
    system.database.set(Fault::Refuse).await;
    let second = system.api.process().await.processed().request_id;
    assert_eq!(system.api.get("/requests").await.status(), 503);
    system.database.set(Fault::None).await;
    let listed = async || {
        let response = system.api.get("/requests").await;
        response.json::<RequestList>().await.ok()
    };
    let started = tokio::time::Instant::now();
    let list = loop {
        if let Some(list) = listed().await {
            break list;
        }
        assert!(started.elapsed() < Duration::from_secs(6), "not listed");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let ids: Vec<_> = list.requests.iter().map(|it| it.request_id).collect();
    assert_eq!((list.total, ids), (2, vec![second, first]));
}

#[tokio::test]
async fn a_policy_that_does_without_a_journal_still_owes_what_it_holds() {
    let mut system = System::start().await;
    system.api.becomes_healthy().await;
    system.database.set(Fault::Refuse).await;
    let id = system.api.process().await.processed().request_id;
    let keyed = system.api.post_keyed("k", "1").await;
    let keyed = keyed.processed().request_id;
    system.api.stop();
    system.api.stopped().await;
    system.api = Api::start(TestConfig {
        policies: "database.on_unavailable = 'reject'".to_owned(),
        ..system.api.config.clone()
    });
    assert_eq!(system.api.process().await.status, 503);
    let again = system.api.post_keyed("k", "1").await;
    assert_eq!(again.status, 200, "{again:?}");
    assert_eq!(again.processed().request_id, keyed);
    assert_eq!(
        system.api.get(&format!("/requests/{id}")).await.status(),
        200
    );
    system.database.set(Fault::None).await;
    system.api.journal_empties().await;
    system.api.comes_to_be(id, RequestStatus::Done).await;
}

#[tokio::test]
async fn what_a_well_postgres_refuses_is_not_promised_and_recorded_as_failed() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    let check = "ALTER TABLE requests ADD CHECK (payload::text <> '\"poison\"')";
    system.sql().await.batch_execute(check).await.unwrap();
    let touched = system.worker.accepted();
    let answer = system.api.post_keyed("k", "\"poison\"").await;
    assert_eq!(answer.status, 409, "{answer:?}");
    let failed = system.api.get("/requests?status=failed").await;
    let failed: RequestList = failed.json().await.unwrap();
    assert!(failed.requests[0].error.as_ref().unwrap().contains("23514"));
    assert_eq!(system.worker.accepted(), touched);
    assert_eq!(system.api.status().await.journal.unwrap().entries, 0);
    assert_eq!(system.api.post_keyed("other", "1").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_do_not_take_the_journal_from_live_calls() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    system.database.set(Fault::Refuse).await;
    let body = format!("\"{}\"", "x".repeat(60_000));
    for key in 0..300 {
        let answer = system.api.post_keyed(&key.to_string(), &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let read = async || {
        for _ in 0..20 {
            let list = system.api.get("/requests?limit=500").await;
            assert_eq!(list.status(), 503);
        }
    };
    let call = async || {
        for _ in 0..20 {
            let answer = system.api.process().await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    };
    tokio::join!(read(), read(), read(), read(), call());
    system.database.set(Fault::None).await;
    system.api.journal_empties().await;
}
