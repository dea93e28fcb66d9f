//! What is gathered: several kinds of writes in one commit, and what waits for it.

use super::live::{client, refuse_poison, result};
use super::*;
use crate::store::{EndRow, Finished, Inserted, NewRow, Table, Written};

#[tokio::test]
async fn what_each_call_awaits_is_small_because_it_is_moved_between_threads() {
    let (_cluster, _store, live) = store().await;
    let request = request(Uuid::now_v7(), None, None);
    let result = result("done");
    let insert = live.insert(&request, Owner::Caller, soon());
    let complete = live.complete(&request, &result, soon());
    let sizes = [size_of_val(&insert), size_of_val(&complete)];
    assert!(sizes.iter().all(|size| *size < 2048), "{sizes:?} bytes");
}

#[tokio::test]
async fn new_requests_and_ends_share_a_commit_and_none_costs_the_other_its_own() {
    let (cluster, store, live) = store().await;
    refuse_poison(&client(&cluster).await, "23514").await;
    let new = |payload: &str| NewRow {
        id: Uuid::now_v7(),
        key: String::new(),
        payload: Some(payload.to_owned()),
        lease: None,
    };
    let end = |id, response: &str| EndRow {
        id,
        response: Some(format!("\"{response}\"")),
        attempts: 1,
        lease: None,
    };
    let [open, done] = [Uuid::now_v7(), Uuid::now_v7()];
    for id in [open, done] {
        insert(&live, id).await;
    }
    let fine = [new("1"), new("2")];
    let (inserted, finished) = store.write(&fine, &[end(done, "first")]).await.unwrap();
    assert_eq!(inserted, vec![Written::Run(Inserted::Ours); 2]);
    assert_eq!(finished, [Written::Run(Finished::Recorded)]);
    assert_eq!(state(&live, fine[1].id).await, RequestState::Waiting);

    let mixed = [new("\"poison\""), new("3")];
    let ends = [end(done, "second"), end(open, "first")];
    let (inserted, finished) = store.write(&mixed, &ends).await.unwrap();
    assert!(
        matches!(inserted[0], Written::RowRefused(_)),
        "{inserted:?}"
    );
    assert_eq!(inserted[1], Written::Run(Inserted::Ours));
    let Written::Run(Finished::Untouched(Some(existing))) = &finished[0] else {
        panic!("ended otherwise: {finished:?}");
    };
    assert_eq!(existing.state.response(), Some(&text("first")));
    assert_eq!(finished[1], Written::Run(Finished::Recorded));
}
