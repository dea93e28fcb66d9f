//! Which session is used, for how long, and whether it is trusted.

use std::time::Duration;

use holdfast_policy::Class;
use holdfast_wire::Reason;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout};

use super::{Forwarder, LIMITS, ask, cluster, pid, sessions, sql, with_limits};
use crate::dependency::DependencyError;
use crate::postgres::error::DatabaseError;
use crate::postgres::{Database, PoolLimits, PoolOptions, Session, Sessions};
use crate::resolver::Resolver;

/// Opens as many sessions at once as the pool may have.
async fn fill(sessions: &Sessions) {
    let mut loans = Vec::new();
    for _ in 0..4 {
        loans.push(sessions.acquire().await.unwrap());
    }
    for loan in loans {
        loan.finish(Ok(())).unwrap();
    }
    assert_eq!(sessions.usage().idle, 4);
}

async fn until(what: &str, reached: impl Fn() -> bool) {
    let started = Instant::now();
    while !reached() {
        assert!(started.elapsed() < Duration::from_secs(10), "not {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn the_session_that_came_back_last_is_used_and_the_others_grow_old_and_go() {
    let cluster = cluster().await;
    let idle_timeout = Duration::from_secs(2);
    let limits = PoolLimits {
        idle_timeout,
        ..LIMITS
    };
    let sessions = with_limits(&cluster.url(), limits);
    fill(&sessions).await;
    let newest = pid(&sessions).await.unwrap();
    let started = Instant::now();
    while sessions.usage().idle > 1 {
        assert!(
            started.elapsed() < idle_timeout * 4,
            "{:?}",
            sessions.usage()
        );
        assert_eq!(pid(&sessions).await.unwrap(), newest);
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_session_ends_with_its_life_however_busy() {
    let cluster = cluster().await;
    let max_lifetime = Duration::from_secs(1);
    let sessions = with_limits(
        &cluster.url(),
        PoolLimits {
            max_lifetime,
            ..LIMITS
        },
    );
    let first = pid(&sessions).await.unwrap();
    let started = Instant::now();
    while pid(&sessions).await.unwrap() == first {
        assert!(started.elapsed() < max_lifetime * 3, "it lives for ever");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn one_statement_that_hangs_has_the_other_stale_sessions_given_up_at_once() {
    let cluster = cluster().await;
    let wire = Forwarder::start(([127, 0, 0, 1], cluster.port()).into()).await;
    let url = format!("postgres://holdfast:holdfast@{}/holdfast", wire.address);
    let sessions = sessions(&url);
    fill(&sessions).await;
    wire.forget_all();
    let hung = timeout(Duration::from_millis(300), pid(&sessions)).await;
    assert!(hung.is_err(), "the wire passes what it forgot");
    // One of the three that are left is asked, in 100 ms; then a new one answers.
    let started = Instant::now();
    pid(&sessions).await.unwrap();
    assert!(
        started.elapsed() < Duration::from_millis(400),
        "{:?}",
        started.elapsed()
    );
    until("closed", || sessions.usage().idle == 1).await;
}

#[tokio::test]
async fn sessions_that_answer_outlive_a_doubt() {
    let cluster = cluster().await;
    let sessions = sessions(&cluster.url());
    fill(&sessions).await;
    let hung = timeout(
        Duration::from_millis(100),
        ask(&sessions, "select pg_sleep(5)::text"),
    );
    assert!(hung.await.is_err());
    until("retired", || sessions.usage().in_use == 0).await;
    assert_eq!(sessions.usage().idle, 3);
    for _ in 0..6 {
        pid(&sessions).await.unwrap();
    }
    assert_eq!(sessions.usage().idle, 3);
}

#[tokio::test]
async fn a_password_that_was_changed_costs_new_sessions_and_spares_good_ones() {
    let cluster = cluster().await;
    let sessions = sessions(&cluster.url());
    pid(&sessions).await.unwrap();
    let change = "alter role holdfast password 'changed'";
    ask(&sessions, "select 'warm'").await.unwrap();
    sql(&cluster, &[change]).await;
    // More at once than there are sessions: each waits for the good one.
    let calls = (0..30).map(|_| pid(&sessions));
    let answers = futures_util::future::join_all(calls).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    // Nor does waiting in vain condemn the database.
    let loan = sessions.acquire().await.unwrap();
    let failure = pid(&sessions).await.unwrap_err();
    assert!(
        matches!(failure, DatabaseError::NoMoreSessions(_)),
        "{failure:?}"
    );
    assert_eq!(failure.class(), Class::neutral().retry_if_idempotent());
    loan.finish(Ok(())).unwrap();
    // Without a good one it is the database that is of no use.
    let empty = super::sessions(&cluster.url());
    assert_eq!(pid(&empty).await.unwrap_err().class(), Class::failure());
}

/// Runs `statement` over a session that is there, and gives it back.
async fn sql_in(session: Session, statement: &str) {
    let outcome = session.batch_execute(statement).await;
    session.finish(outcome).unwrap();
}

#[tokio::test]
async fn without_limits_a_refused_session_fails_at_once_and_nobody_waits_for_a_good_one() {
    let cluster = cluster().await;
    let database = Database::parse(&cluster.url()).unwrap();
    let options = PoolOptions {
        role: "naive",
        max_size: 4,
        limits: None,
    };
    let resolver = Resolver::new(Handle::current(), None);
    let naive = Sessions::new(&database, options, resolver, Handle::current()).unwrap();
    let good = naive.acquire().await.unwrap();
    sql(&cluster, &["alter role holdfast password 'changed'"]).await;
    let refused = timeout(Duration::from_secs(5), pid(&naive)).await;
    let refused = refused.unwrap().unwrap_err();
    assert!(matches!(refused, DatabaseError::Connect(_)), "{refused:?}");
    // Nor is a refusal remembered: the next one asks the server.
    sql_in(good, "alter role holdfast password 'holdfast'").await;
    let good = naive.acquire().await.unwrap();
    assert!(pid(&naive).await.is_ok());
    good.finish(Ok(())).unwrap();
}

#[tokio::test]
async fn a_table_that_is_altered_under_running_sessions_costs_one_attempt() {
    let cluster = cluster().await;
    sql(
        &cluster,
        &["create table t (a int); insert into t values (1)"],
    )
    .await;
    let sessions = sessions(&cluster.url());
    fill(&sessions).await;
    let statement = "select a::text, * from t";
    ask(&sessions, statement).await.unwrap();
    sql(&cluster, &["alter table t alter column a type bigint"]).await;
    let failure = ask(&sessions, statement).await.unwrap_err();
    assert!(
        matches!(failure, DatabaseError::StalePlan(_)),
        "{failure:?}"
    );
    assert_eq!(failure.class(), Class::neutral().retry_if_idempotent());
    assert_eq!(ask(&sessions, statement).await.unwrap(), "1");
}

#[tokio::test]
async fn a_refusal_of_one_statement_keeps_its_session_and_says_what_is_missing() {
    let cluster = cluster().await;
    let sessions = sessions(&cluster.url());
    let first = pid(&sessions).await.unwrap();
    let missing = ask(&sessions, "select a from no_such_table").await;
    let missing = missing.unwrap_err();
    assert_eq!(missing.reason(), Reason::SchemaOutdated);
    assert_eq!(missing.class(), Class::neutral());
    assert_eq!(pid(&sessions).await.unwrap(), first);
}
