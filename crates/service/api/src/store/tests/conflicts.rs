//! Two ends of one request: the earlier stands, a result replaces any other end, and neither is lost.

use std::time::Duration;

use jiff::Timestamp;
use tokio_postgres::Client;
use uuid::Uuid;

use super::{LEASE, entry, sql, state, store, text};
use crate::journal::{Entry, WorkResult};

const MINUTE: i64 = 60;

fn ended(id: Uuid, response: &str, seconds_from_now: i64) -> Entry {
    let at = Timestamp::now().as_second() + seconds_from_now;
    Entry {
        id,
        end: Some(WorkResult {
            response: text(response),
            attempts: 1,
            completed_at: Timestamp::from_second(at).unwrap(),
        }),
        ..entry(None)
    }
}

/// What stands, what does not, and why that one had failed.
async fn conflicts(sql: &Client, id: Uuid) -> Vec<(String, Option<String>, Option<String>)> {
    let query = "SELECT kept::text, other::text, other_error FROM result_conflicts WHERE request_id = $1 ORDER BY 1, 2";
    let rows = sql.query(query, &[&id]).await.unwrap();
    let conflict = |row: &tokio_postgres::Row| (row.get(0), row.get(1), row.get(2));
    rows.iter().map(conflict).collect()
}

#[tokio::test]
async fn the_earlier_of_two_results_stands_and_the_other_is_kept_whichever_comes_first() {
    let (cluster, store, live) = store().await;
    let sql = sql(&cluster).await;
    for (first, second) in [(-2 * MINUTE, -MINUTE), (-MINUTE, -2 * MINUTE)] {
        let id = Uuid::now_v7();
        let says = |at| if at == -2 * MINUTE { "early" } else { "late" };
        let none = store.replay(&[ended(id, says(first), first)], LEASE).await;
        assert_eq!(none.unwrap(), [] as [Uuid; 0]);
        let late = ended(id, says(second), second);
        let met = store.replay(std::slice::from_ref(&late), LEASE).await;
        assert_eq!(met.unwrap(), [id]);
        // The answer was lost: again, and nothing is new.
        let again = store.replay(&[late], LEASE).await;
        assert_eq!(again.unwrap(), [] as [Uuid; 0]);
        assert_eq!(state(&live, id).await.response(), Some(&text("early")));
        let kept = ("\"early\"".to_owned(), Some("\"late\"".to_owned()), None);
        assert_eq!(conflicts(&sql, id).await, [kept]);
    }
}

#[tokio::test]
async fn the_same_result_twice_is_no_conflict() {
    let (cluster, store, _) = store().await;
    let id = Uuid::now_v7();
    for at in [-MINUTE, -2 * MINUTE] {
        let met = store.replay(&[ended(id, "same", at)], LEASE).await;
        assert_eq!(met.unwrap(), [] as [Uuid; 0]);
    }
    assert_eq!(conflicts(&sql(&cluster).await, id).await, []);
}

#[tokio::test]
async fn a_result_replaces_a_failure_however_late_it_comes() {
    let (cluster, store, live) = store().await;
    let id = Uuid::now_v7();
    let result = ended(id, "done", MINUTE);
    store.refuse(&result, "refused").await.unwrap();
    let met = store.replay(&[result], LEASE).await;
    assert_eq!(met.unwrap(), [id]);
    assert_eq!(state(&live, id).await.response(), Some(&text("done")));
    let failure = ("\"done\"".to_owned(), None, Some("refused".to_owned()));
    assert_eq!(conflicts(&sql(&cluster).await, id).await, [failure]);
}

#[tokio::test]
async fn what_a_journal_brought_late_is_kept_from_when_it_came() {
    let (cluster, store, _) = store().await;
    let day = 24 * 3600;
    let id = Uuid::now_v7();
    store
        .replay(&[ended(id, "old", -2 * day)], LEASE)
        .await
        .unwrap();
    let keep = Duration::from_secs(3600);
    assert_eq!(store.forget(keep, 10, None).await.unwrap().rows, 0);
    let sql = sql(&cluster).await;
    let aged = "UPDATE requests SET recorded_at = now() - interval '2 hours' WHERE id = $1";
    sql.execute(aged, &[&id]).await.unwrap();
    assert!(store.oldest_kept(None).await.unwrap().unwrap() > keep);
    let forgotten = store.forget(keep, 10, None).await.unwrap();
    assert_eq!(forgotten.rows, 1);
    assert_eq!(
        store.forget(keep, 10, forgotten.up_to).await.unwrap().rows,
        0
    );
}
