//! Whose a request is, and who may give it back.

use holdfast_policy::{BreakerState, Event, Observer};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{sleep, timeout};

use super::*;
use crate::store::doubt_when_open;

/// Waits until recovery may have just this request.
async fn until_claimable(store: &Store, id: Uuid) {
    let claimed = async {
        while !claim(store).await.iter().any(|claimed| claimed.id == id) {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LEASE / 3, claimed).await.expect("it is given back");
}

#[tokio::test]
async fn a_caller_that_leaves_during_the_insert_leaves_the_request_to_recovery() {
    for key in [None, Some("k")] {
        let (cluster, store, live) = store().await;
        let blocker = sql(&cluster).await;
        let lock = "BEGIN; LOCK TABLE requests IN ACCESS EXCLUSIVE MODE";
        blocker.batch_execute(lock).await.unwrap();
        let request = request(Uuid::now_v7(), key, None);
        let insert = live.insert(&request, Owner::Caller, soon());
        assert!(timeout(Duration::from_millis(40), insert).await.is_err());
        blocker.batch_execute("COMMIT").await.unwrap();
        until_claimable(&store, request.id).await;
    }
}

#[tokio::test]
async fn a_release_that_comes_late_frees_nobody_elses_claim() {
    let (cluster, store, live) = store().await;
    let request = request(Uuid::now_v7(), None, None);
    insert(&live, request.id).await;
    let expire = "UPDATE requests SET lease_until = now() - interval '1 s'";
    sql(&cluster).await.batch_execute(expire).await.unwrap();
    let claimed = claim(&store).await;
    assert_eq!(claimed[0].id, request.id);
    live.release(&request, soon()).await.unwrap();
    assert_eq!(claim(&store).await, [], "the claim stands");
    assert!(store.extend(claimed[0], LEASE).await.unwrap().is_some());
}

/// A backend that is stopped with its connection open.
struct Stopped(Pid);

impl Stopped {
    async fn the_session_of(store: &Store) -> Self {
        let session = store.sessions.acquire().await.unwrap();
        let statement = session.prepare_cached("SELECT pg_backend_pid()").await;
        let row = session.query(&statement.unwrap(), &[]).await;
        let pid = session.finish(row).unwrap()[0].get(0);
        let pid = Pid::from_raw(pid).unwrap();
        kill_process(pid, Signal::STOP).unwrap();
        Self(pid)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = kill_process(self.0, Signal::CONT);
    }
}

#[tokio::test]
async fn no_session_from_before_the_breaker_opened_is_used_unasked() {
    let (_cluster, store, _live) = store().await;
    let _stopped = Stopped::the_session_of(&store).await;
    doubt_when_open(vec![store.clone()]).on_event(&Event::Transition {
        policy: "database",
        from: BreakerState::Closed,
        to: BreakerState::Open,
        generation: 1,
        because: None,
    });
    // It is asked, for a tenth of a second, and a new one answers in its place.
    let answer = timeout(Duration::from_secs(2), claim(&store)).await;
    assert_eq!(answer.expect("from another session"), []);
}
