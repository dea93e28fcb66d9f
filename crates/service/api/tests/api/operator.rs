//! What operators do to what is owed: ask for it again, give it up.

use std::time::Duration;

use holdfast_testbed::proxy::Fault;
use holdfast_wire::{Request, RequestList, RequestStatus};
use reqwest::StatusCode;
use tokio::time::sleep;
use uuid::Uuid;

use crate::support::{ADMIN_TOKEN, Api, System};

/// The code of a refusal.
async fn refused(api: &Api, path: &str) -> (u16, String) {
    let answer = api.operate(path).await;
    let status = answer.status().as_u16();
    let problem: serde_json::Value = answer.json().await.unwrap();
    (status, problem["code"].as_str().unwrap().to_owned())
}

async fn granted(api: &Api, path: &str) -> Request {
    let answer = api.operate(path).await;
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    answer.json().await.unwrap()
}

/// A request that waits for the worker, which is gone.
async fn deferred(system: &System) -> Uuid {
    system.worker.set(Fault::Refuse).await;
    let answer = system.api.process().await;
    assert_eq!(answer.status, 202);
    answer.processed().request_id
}

#[tokio::test]
async fn operators_routes_are_closed_without_a_token_and_to_whoever_lacks_it() {
    let system = System::start().await;
    let closed = Api::start({
        let mut config = system.api.config.of_a_replica();
        config.admin_token = "";
        config
    });
    for path in [
        format!("/requests/{}/retry", Uuid::nil()),
        format!("/requests/{}/cancel", Uuid::nil()),
        "/requests/retry?status=failed".to_owned(),
    ] {
        assert_eq!(
            refused(&closed, &path).await,
            (403, "operators_disabled".to_owned())
        );
        for authorization in [None, Some("Bearer wrong"), Some("Basic x"), Some("Bearer")] {
            let request = system.api.request("POST", &path);
            let request = match authorization {
                Some(it) => request.header("authorization", it),
                None => request,
            };
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 401, "{path} {authorization:?}");
            assert_eq!(answer.headers()["www-authenticate"], "Bearer");
        }
        let spaced = format!("Bearer  {ADMIN_TOKEN}");
        let spaced = system
            .api
            .request("POST", &path)
            .header("authorization", spaced);
        assert_ne!(spaced.send().await.unwrap().status(), 401, "{path}");
        let two = system.api.request("POST", &path).bearer_auth(ADMIN_TOKEN);
        let two = two.header("authorization", "Bearer wrong").send().await;
        assert_eq!(two.unwrap().status(), 401, "{path}");
    }
    let detail = closed.operate("/requests/retry?status=failed").await;
    let detail = detail.text().await.unwrap();
    assert!(
        detail.contains("HOLDFAST_ADMIN_TOKEN is not set"),
        "{detail}"
    );
}

#[tokio::test]
async fn a_cancelled_request_is_done_by_nobody_until_it_is_asked_for_again() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    let id = deferred(&system).await;
    let cancelled = granted(&system.api, &format!("/requests/{id}/cancel")).await;
    assert_eq!(cancelled.status, RequestStatus::Cancelled);
    assert!(cancelled.completed_at.is_some());
    let again = refused(&system.api, &format!("/requests/{id}/cancel")).await;
    assert_eq!(again, (409, "already_finished".to_owned()));
    system.worker.set(Fault::None).await;
    system.api.becomes_healthy().await;
    sleep(Duration::from_secs(2)).await;
    let listed = system.api.get("/requests?status=cancelled").await;
    assert!(listed.text().await.unwrap().contains(&id.to_string()));
    let owed = granted(&system.api, &format!("/requests/{id}/retry")).await;
    assert_eq!(
        (owed.status, owed.completed_at),
        (RequestStatus::Received, None)
    );
    system.api.comes_to_be(id, RequestStatus::Done).await;
    for (what, code) in [("retry", "not_failed"), ("cancel", "already_finished")] {
        let refused = refused(&system.api, &format!("/requests/{id}/{what}")).await;
        assert_eq!(refused, (409, code.to_owned()));
    }
}

#[tokio::test]
async fn a_request_that_failed_before_it_was_cancelled_shows_no_error_and_can_still_be_done() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    let (sql, id) = (system.sql().await, Uuid::now_v7());
    // As recovery leaves it between two tries.
    let insert = "INSERT INTO requests (id, origin, attempts, error, lease_until) \
        VALUES ($1, 'resilient', 1, 'the worker answered 500', now() + interval '20 s')";
    sql.execute(insert, &[&id]).await.unwrap();
    let cancelled = granted(&system.api, &format!("/requests/{id}/cancel")).await;
    assert_eq!(
        (cancelled.status, cancelled.error, cancelled.attempts),
        (RequestStatus::Cancelled, None, 1)
    );
    let stored = "SELECT error IS NULL FROM requests WHERE id = $1";
    assert!(
        sql.query_one(stored, &[&id])
            .await
            .unwrap()
            .get::<_, bool>(0)
    );
    granted(&system.api, &format!("/requests/{id}/retry")).await;
    system.api.comes_to_be(id, RequestStatus::Done).await;
}

#[tokio::test]
async fn what_is_unknown_or_no_id_or_unreadable_is_said_so() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    let unknown = format!("/requests/{}/cancel", Uuid::now_v7());
    let not_found = (404, "request_not_found".to_owned());
    assert_eq!(refused(&system.api, &unknown).await, not_found);
    let no_id = refused(&system.api, "/requests/x/retry").await;
    assert_eq!(no_id, (400, "invalid_id".to_owned()));
    for query in ["", "?status=done", "?status=failed&limit=1"] {
        let refused = refused(&system.api, &format!("/requests/retry{query}")).await;
        assert_eq!(refused, (400, "invalid_query".to_owned()), "{query}");
    }
    system.database.set(Fault::Refuse).await;
    let (status, code) = refused(&system.api, &unknown).await;
    assert_eq!((status, code.as_str()), (503, "db_unavailable"));
    system.database.set(Fault::None).await;
    system.api.becomes_healthy().await;
    assert_eq!(refused(&system.api, &unknown).await, not_found);
}

#[tokio::test]
async fn of_a_cancel_and_the_work_that_is_under_way_one_happens() {
    let system = System::with("", Duration::from_millis(30)).await;
    system.api.becomes_healthy().await;
    let sql = system.sql().await;
    let insert = "INSERT INTO requests (id, origin) VALUES ($1, 'resilient')";
    let ids: Vec<Uuid> = (0..40).map(|_| Uuid::now_v7()).collect();
    for id in &ids {
        sql.execute(insert, &[id]).await.unwrap();
    }
    let mut cancelled = 0_u32;
    for (nth, id) in ids.iter().enumerate() {
        // At every moment: before the claim, during the work, while its end is recorded.
        sleep(Duration::from_millis(nth as u64 * 2)).await;
        let answer = system.api.operate(&format!("/requests/{id}/cancel")).await;
        let end = match answer.status() {
            StatusCode::OK => RequestStatus::Cancelled,
            StatusCode::CONFLICT => RequestStatus::Done,
            other => panic!("{other}"),
        };
        cancelled += u32::from(end == RequestStatus::Cancelled);
        system.api.comes_to_be(*id, end).await;
    }
    assert!((1..40).contains(&cancelled), "{cancelled} of 40");
    // What was under way when it was cancelled has ended by now, and changed nothing.
    sleep(Duration::from_secs(1)).await;
    let count = "SELECT count(*) FROM requests WHERE status = 'cancelled'";
    let row = sql.query_one(count, &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), i64::from(cancelled));
    let conflicts = "SELECT count(*) FROM result_conflicts";
    let row = sql.query_one(conflicts, &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 0);
}

#[tokio::test]
async fn a_request_that_only_the_journal_has_can_be_given_up_once_postgres_is_there() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    system.database.set(Fault::Refuse).await;
    let id = deferred(&system).await;
    let path = format!("/requests/{id}/cancel");
    assert_eq!(refused(&system.api, &path).await.0, 503);
    // A lock on its key's table keeps recovery from bringing the entry over, not from being asked.
    let sql = system.sql().await;
    let lock = "BEGIN; LOCK TABLE result_conflicts IN ACCESS EXCLUSIVE MODE";
    sql.batch_execute(lock).await.unwrap();
    system.database.set(Fault::None).await;
    let mut answer = system.api.operate(&path).await;
    while answer.status() == 503 {
        sleep(Duration::from_millis(20)).await;
        answer = system.api.operate(&path).await;
    }
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    assert_eq!(system.api.status().await.journal.unwrap().entries, 1);
    sql.batch_execute("COMMIT").await.unwrap();
    system.api.journal_empties().await;
    system.worker.set(Fault::None).await;
    system.api.becomes_healthy().await;
    sleep(Duration::from_secs(2)).await;
    system.api.comes_to_be(id, RequestStatus::Cancelled).await;
}

#[tokio::test]
async fn what_has_waited_for_longest_is_listed_first_when_that_is_asked() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    let (sql, ids) = (system.sql().await, [(); 3].map(|()| Uuid::now_v7()));
    let insert = "INSERT INTO requests (id, origin, status, completed_at) \
        VALUES ($1, 'resilient', 'cancelled', now())";
    for id in &ids {
        sql.execute(insert, &[id]).await.unwrap();
    }
    for (order, expected) in [("oldest", [ids[0], ids[1]]), ("newest", [ids[2], ids[1]])] {
        let path = format!("/requests?status=cancelled&order={order}&limit=2");
        let list: RequestList = system.api.get(&path).await.json().await.unwrap();
        let listed: Vec<Uuid> = list.requests.iter().map(|it| it.request_id).collect();
        assert_eq!(
            (list.total, listed.as_slice()),
            (3, expected.as_slice()),
            "{order}"
        );
    }
}
