//! What live calls write: many rows in one statement, each with an end of its own.

use futures_util::future::join_all;
use tokio_postgres::{Client, NoTls};

use super::*;
use crate::process::Completion;

pub(super) async fn client(cluster: &Cluster) -> Client {
    let (client, connection) = tokio_postgres::connect(&cluster.url(), NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client
}

pub(super) fn result(response: &str) -> WorkResult {
    WorkResult {
        response: text(response),
        completed_at: Timestamp::now(),
        attempts: 1,
    }
}

fn payload(text: &str) -> Option<Box<RawValue>> {
    Some(RawValue::from_string(text.to_owned()).unwrap())
}

pub(super) async fn refuse_poison(client: &Client, sqlstate: &str) {
    let trigger = format!(
        "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         IF NEW.payload::text LIKE '%poison%' THEN RAISE EXCEPTION 'no' USING ERRCODE = '{sqlstate}'; END IF; \
         RETURN NEW; END $$; \
         DROP TRIGGER IF EXISTS refuse ON requests; \
         CREATE TRIGGER refuse BEFORE INSERT ON requests FOR EACH ROW EXECUTE FUNCTION refuse();"
    );
    client.batch_execute(&trigger).await.unwrap();
}

#[tokio::test]
async fn an_insert_that_was_committed_unheard_is_repeated_without_harm() {
    let (_cluster, _store, live) = store().await;
    let plain = request(Uuid::now_v7(), None, Some(body()));
    let keyed = request(Uuid::now_v7(), Some("k"), Some(body()));
    for _ in 0..2 {
        for request in [&plain, &keyed] {
            let inserted = live.insert(request, Owner::Caller, soon()).await;
            assert_eq!(inserted.unwrap(), InsertOutcome::Inserted);
            assert_eq!(state(&live, request.id).await, RequestState::Running);
        }
    }
}

#[tokio::test]
async fn a_key_stands_for_the_first_request_and_tells_another_body() {
    let (_cluster, _store, live) = store().await;
    let first = request(Uuid::now_v7(), Some("k"), None);
    live.insert(&first, Owner::Caller, soon()).await.unwrap();
    for (body, same_body) in [(None, true), (Some(body()), false)] {
        let InsertOutcome::Existing(known) = insert_keyed(&live, "k", body).await else {
            panic!("taken twice");
        };
        assert_eq!((known.id, known.same_body), (first.id, same_body));
    }
    let known = live.existing_under("k", None, soon()).await.unwrap();
    assert_eq!(known.unwrap().id, first.id);
    let unknown = live.existing_under("other", None, soon()).await;
    assert_eq!(unknown.unwrap(), None);
}

#[tokio::test]
async fn a_key_without_a_request_is_freed_and_taken() {
    let (cluster, _store, live) = store().await;
    insert_keyed(&live, "k", None).await;
    let client = client(&cluster).await;
    client.execute("DELETE FROM requests", &[]).await.unwrap();
    assert_eq!(
        insert_keyed(&live, "k", None).await,
        InsertOutcome::Inserted
    );
}

#[tokio::test]
async fn one_row_that_postgres_refuses_fails_alone_and_is_recorded_as_failed() {
    let (cluster, _store, live) = store().await;
    let client = client(&cluster).await;
    for sqlstate in ["P0001", "42501", "XX001", "45000", "54001"] {
        refuse_poison(&client, sqlstate).await;
        let requests: Vec<_> = (0..64)
            .map(|number| {
                let text = if number == 17 { "\"poison\"" } else { "1" };
                let key = format!("{sqlstate} {number}");
                let key = (number % 2 == 1).then_some(key.as_str());
                request(Uuid::now_v7(), key, payload(text))
            })
            .collect();
        let inserted = join_all(
            requests
                .iter()
                .map(|it| live.insert(it, Owner::Caller, soon())),
        )
        .await;
        for (number, (outcome, request)) in inserted.into_iter().zip(&requests).enumerate() {
            let poison = number == 17;
            match outcome.unwrap() {
                InsertOutcome::Inserted => assert!(!poison),
                InsertOutcome::Rejected { error } => assert!(poison && error.contains(sqlstate)),
                other @ InsertOutcome::Existing(_) => panic!("{sqlstate}: {other:?}"),
            }
            let failed = matches!(state(&live, request.id).await, RequestState::Failed(_));
            assert_eq!(failed, poison, "{sqlstate}: {number}");
        }
    }
}

#[tokio::test]
async fn a_missing_table_costs_the_calls_that_need_it_and_no_others() {
    let (cluster, _store, live) = store().await;
    let client = client(&cluster).await;
    let rename = async |from: &str, to: &str| {
        let rename = format!("ALTER TABLE {from} RENAME TO {to}");
        client.batch_execute(&rename).await.unwrap();
    };
    rename("idempotency_keys", "elsewhere").await;
    for _ in 0..5 {
        let keyed = request(Uuid::now_v7(), Some("k"), None);
        let missing = live
            .insert(&keyed, Owner::Caller, soon())
            .await
            .unwrap_err();
        assert_eq!(missing.reason.as_str(), "schema_outdated");
        insert(&live, Uuid::now_v7()).await;
    }
    rename("elsewhere", "idempotency_keys").await;
    assert_eq!(
        insert_keyed(&live, "k", None).await,
        InsertOutcome::Inserted
    );
}

#[tokio::test]
async fn a_request_that_is_gone_is_recorded_anew_and_whole() {
    let (cluster, _store, live) = store().await;
    let client = client(&cluster).await;
    let gone = request(Uuid::now_v7(), Some("k"), Some(body()));
    live.insert(&gone, Owner::Caller, soon()).await.unwrap();
    client
        .batch_execute("DELETE FROM requests; DELETE FROM idempotency_keys")
        .await
        .unwrap();
    let completed = live.complete(&gone, &result("late"), soon()).await;
    assert_eq!(completed.unwrap(), Completion::Recorded);
    let InsertOutcome::Existing(known) = insert_keyed(&live, "k", Some(body())).await else {
        panic!("the key is known");
    };
    assert_eq!(known.id, gone.id);
    assert_eq!(known.state.response(), Some(&text("late")));
}

#[tokio::test]
async fn a_request_that_is_gone_when_it_is_left_to_recovery_is_recorded_anew() {
    let (cluster, store, live) = store().await;
    let client = client(&cluster).await;
    for (key, taken) in [("free", false), ("taken", true)] {
        let gone = request(Uuid::now_v7(), Some(key), Some(body()));
        live.insert(&gone, Owner::Caller, soon()).await.unwrap();
        client
            .batch_execute("DELETE FROM requests; DELETE FROM idempotency_keys")
            .await
            .unwrap();
        if taken {
            insert_keyed(&live, key, Some(body())).await;
        }
        live.release(&gone, soon()).await.unwrap();
        let ids = claim(&store).await.into_iter().map(|it| it.id);
        assert!(ids.eq([gone.id]), "the key is {key}");
    }
}

#[tokio::test]
async fn an_end_that_was_recorded_before_is_the_answer() {
    let (cluster, _store, live) = store().await;
    let client = client(&cluster).await;
    let ids: Vec<Uuid> = (0..2).map(|_| Uuid::now_v7()).collect();
    for id in &ids {
        insert(&live, *id).await;
    }
    let first = request(ids[0], None, None);
    for response in ["first", "second", "first"] {
        let completed = live.complete(&first, &result(response), soon()).await;
        match completed.unwrap() {
            Completion::Recorded => assert_eq!(response, "first"),
            Completion::EndedOtherwise(state) => {
                assert_eq!(
                    (response, state.response()),
                    ("second", Some(&text("first")))
                );
            }
        }
    }
    let fail =
        "UPDATE requests SET status = 'failed', error = 'no', completed_at = now() WHERE id = $1";
    client.execute(fail, &[&ids[1]]).await.unwrap();
    let failed = request(ids[1], None, None);
    let completed = live.complete(&failed, &result("late"), soon()).await;
    let failed = RequestState::Failed("no".to_owned());
    assert_eq!(completed.unwrap(), Completion::EndedOtherwise(failed));
}

#[tokio::test]
async fn a_row_under_somebodys_lock_keeps_no_other_waiting() {
    let (cluster, _store, live) = store().await;
    let mut client = client(&cluster).await;
    let requests: Vec<_> = (0..16)
        .map(|_| request(Uuid::now_v7(), None, None))
        .collect();
    for request in &requests {
        insert(&live, request.id).await;
    }
    let lock = client.transaction().await.unwrap();
    let select = "SELECT FROM requests WHERE id = $1 FOR UPDATE";
    lock.execute(select, &[&requests[3].id]).await.unwrap();
    let response = result("done");
    let completed = requests
        .iter()
        .map(|it| live.complete(it, &response, soon()));
    for (number, completed) in join_all(completed).await.into_iter().enumerate() {
        assert_eq!(completed.is_ok(), number != 3, "{number}: {completed:?}");
    }
    lock.rollback().await.unwrap();
    let completed = live.complete(&requests[3], &response, soon()).await;
    assert_eq!(completed.unwrap(), Completion::Recorded);
}

#[tokio::test]
async fn the_workers_answer_is_kept_byte_for_byte() {
    let (_cluster, _store, live) = store().await;
    let bytes = r#"{"b":123456789012345678901234567890.12,  "c":1.10,"a":"\u0000"}"#;
    let request = request(Uuid::now_v7(), None, None);
    live.insert(&request, Owner::Caller, soon()).await.unwrap();
    let exotic = WorkResult {
        response: JsonText::parse(bytes.to_owned()).unwrap(),
        completed_at: Timestamp::now(),
        attempts: 1,
    };
    let completed = live.complete(&request, &exotic, soon()).await;
    assert_eq!(completed.unwrap(), Completion::Recorded);
    let kept = state(&live, request.id).await;
    assert_eq!(kept.response().map(JsonText::get), Some(bytes));
}

#[tokio::test]
async fn a_key_that_somebody_is_about_to_take_keeps_no_other_waiting() {
    let (cluster, _store, live) = store().await;
    let mut client = client(&cluster).await;
    let taking = client.transaction().await.unwrap();
    let take = "INSERT INTO idempotency_keys (key, request_id) VALUES ('3', gen_random_uuid())";
    taking.batch_execute(take).await.unwrap();
    let requests: Vec<_> = (0..16)
        .map(|number: u32| request(Uuid::now_v7(), Some(&number.to_string()), None))
        .collect();
    for _ in 0..4 {
        let inserts = requests
            .iter()
            .map(|it| live.insert(it, Owner::Caller, soon()));
        for (number, inserted) in join_all(inserts).await.into_iter().enumerate() {
            assert_eq!(inserted.is_ok(), number != 3, "{number}: {inserted:?}");
        }
    }
    taking.rollback().await.unwrap();
    let inserted = live.insert(&requests[3], Owner::Caller, soon()).await;
    assert_eq!(inserted.unwrap(), InsertOutcome::Inserted);
}

#[tokio::test]
async fn a_result_that_postgres_refuses_fails_its_request_and_no_other() {
    let (cluster, _store, live) = store().await;
    let client = client(&cluster).await;
    let check = "ALTER TABLE requests ADD CHECK (worker_response::text <> '\"poison\"')";
    client.batch_execute(check).await.unwrap();
    let requests: Vec<_> = (0..8)
        .map(|_| request(Uuid::now_v7(), None, None))
        .collect();
    for request in &requests {
        insert(&live, request.id).await;
    }
    let results: Vec<_> = (0..8)
        .map(|number| result(if number == 5 { "poison" } else { "done" }))
        .collect();
    let pairs = requests.iter().zip(&results);
    let completed = join_all(pairs.map(|(it, result)| live.complete(it, result, soon()))).await;
    for (number, completed) in completed.into_iter().enumerate() {
        let failed = matches!(
            completed.unwrap(),
            Completion::EndedOtherwise(RequestState::Failed(_))
        );
        assert_eq!(failed, number == 5, "{number}");
    }
}
