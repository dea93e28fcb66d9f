//! The sessions with Postgres under pressure.

use std::time::Duration;

use holdfast_wire::{Breaker, DegradedCode, Reason};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::support::{Answer, System};

const DATABASE: DegradedCode = DegradedCode::DbUnavailable;
const ONE_SESSION: &str = "database.pool.max_size = 1";

#[tokio::test]
async fn a_full_pool_is_named_and_does_not_blame_the_database() {
    // The first call's attempt outlasts all of the others, however busy the machine; eight that found the pool full would be
    // enough to open the breaker, if they counted.
    let patient = "database.attempt_timeout = '3s'\ndatabase.deadline = '4s'\nrecovery.lease = '12s'\n\
        database.breaker = { consecutive_failures = 5 }";
    let impatient = format!("{ONE_SESSION}\ndatabase.pool.max_wait = '20ms'\n{patient}");
    let system = System::with(&impatient, Duration::ZERO).await;
    system.api.becomes_healthy().await;
    let blocker = locked(&system).await;

    let observer = system.sql().await;
    let session = sessions(&observer).await[0];
    let others = async {
        wait_until_blocked(&observer, session).await;
        let calls = (0..8).map(|_| system.api.get("/process"));
        futures_util::future::join_all(calls).await
    };
    let (first, others) = tokio::join!(system.api.process(), others);
    // Its second attempt may find the session taken by the others.
    let lacked = [Reason::AttemptTimeout, Reason::PoolExhausted];
    assert!(lacked.contains(&first.reason(DATABASE)), "{first:?}");
    for response in others {
        let reason = Answer::read(response).await.reason(DATABASE);
        assert_eq!(reason, Reason::PoolExhausted);
    }
    assert_eq!(
        system.api.status().await.dependencies.database.breaker,
        Breaker::Closed
    );

    blocker.batch_execute("ROLLBACK").await.unwrap();
    system.api.becomes_healthy().await;
}

#[tokio::test]
async fn a_statement_that_was_cut_short_is_cancelled_and_its_session_never_reused() {
    let system = System::with(ONE_SESSION, Duration::ZERO).await;
    system.api.becomes_healthy().await;
    let observer = system.sql().await;
    let before = sessions(&observer).await;
    // Past the time of an attempt, and no lock: that Postgres would end by itself.
    let slow = "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS \
        $$ BEGIN PERFORM pg_sleep(5); RETURN NEW; END $$; \
        CREATE TRIGGER slow BEFORE INSERT ON requests FOR EACH ROW EXECUTE FUNCTION slow()";
    observer.batch_execute(slow).await.unwrap();
    let answer = system.api.process().await;
    assert_eq!(answer.reason(DATABASE), Reason::AttemptTimeout);
    let quick = "DROP TRIGGER slow ON requests";
    observer.batch_execute(quick).await.unwrap();
    system.api.becomes_healthy().await;

    let after = sessions(&observer).await;
    assert_eq!(after.len(), 1, "{after:?}");
    assert!(
        before.iter().all(|session| !after.contains(session)),
        "{before:?} {after:?}"
    );
}

#[tokio::test]
async fn a_session_whose_statement_was_cancelled_is_never_reused() {
    let system = System::with(ONE_SESSION, Duration::ZERO).await;
    system.api.becomes_healthy().await;
    let observer = system.sql().await;
    let before = sessions(&observer).await;
    let blocker = locked(&system).await;
    let cancel = async {
        wait_until_blocked(&observer, before[0]).await;
        let cancel = "SELECT pg_cancel_backend($1)";
        observer.execute(cancel, &[&before[0]]).await.unwrap();
        // At once: the second attempt must not meet the lock and retire the session for another reason.
        blocker.batch_execute("ROLLBACK").await.unwrap();
    };
    let (answer, ()) = tokio::join!(system.api.process(), cancel);
    assert_eq!(answer.status, 200);
    assert!(answer.degraded().is_empty(), "{answer:?}");
    gone(&observer, before[0]).await;
}

#[tokio::test]
async fn clients_that_leave_in_the_middle_of_a_statement_leave_no_session_behind() {
    let system = System::with("database.pool.max_size = 4", Duration::ZERO).await;
    system.api.becomes_healthy().await;
    let blocker = locked(&system).await;
    for _ in 0..40 {
        let mut client = TcpStream::connect(system.api.address).await.unwrap();
        client
            .write_all(b"GET /process HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .await
            .unwrap();
        sleep(Duration::from_millis(15)).await;
        // Leaves with a reset, which drops the handler's future where it stands.
        client.set_zero_linger().unwrap();
    }
    blocker.batch_execute("ROLLBACK").await.unwrap();
    let observer = system.sql().await;
    let started = Instant::now();
    while sessions(&observer).await.len() > 4 {
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "{:?}",
            sessions(&observer).await
        );
        sleep(Duration::from_millis(50)).await;
    }
    system.api.becomes_healthy().await;
}

/// Holds a lock on the table until it says ROLLBACK.
async fn locked(system: &System) -> tokio_postgres::Client {
    let blocker = system.sql().await;
    let lock = "BEGIN; LOCK TABLE requests";
    blocker.batch_execute(lock).await.unwrap();
    blocker
}

/// Waits until the session `pid` waits for a lock.
async fn wait_until_blocked(observer: &tokio_postgres::Client, pid: i32) {
    let query = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND wait_event_type = 'Lock'";
    let started = Instant::now();
    while observer
        .query_one(query, &[&pid])
        .await
        .unwrap()
        .get::<_, i64>(0)
        == 0
    {
        assert!(started.elapsed() < Duration::from_secs(2), "not blocked");
        sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until there is no session `pid` any more.
async fn gone(observer: &tokio_postgres::Client, pid: i32) {
    let started = Instant::now();
    while sessions(observer).await.contains(&pid) {
        assert!(started.elapsed() < Duration::from_secs(2), "still there");
        sleep(Duration::from_millis(10)).await;
    }
}

/// The process ids of the resilient side's sessions.
async fn sessions(observer: &tokio_postgres::Client) -> Vec<i32> {
    let query = "SELECT pid FROM pg_stat_activity WHERE application_name = 'holdfast resilient'";
    let rows = observer.query(query, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}
