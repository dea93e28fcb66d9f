//! Several hosts, several addresses.

use std::net::{IpAddr, SocketAddr};

use holdfast_wire::Reason;
use tokio::time::{Instant, timeout};

use super::{CONNECT, LIMITS, ask, cluster, pid, sessions, silent, sql, with_resolver};
use crate::dependency::DependencyError;
use crate::resolver::Resolver;

const READ_ONLY: [&str; 2] = [
    "alter system set default_transaction_read_only = on",
    "select pg_reload_conf()",
];

#[tokio::test]
async fn an_address_that_drops_packets_leaves_time_for_the_next_behind_the_name() {
    let cluster = cluster().await;
    let deaf = IpAddr::from([127, 0, 0, 2]);
    let (_, _held) = silent(SocketAddr::new(deaf, cluster.port())).await;
    let resolver = Resolver::knowing("two.test", &[deaf, IpAddr::from([127, 0, 0, 1])]);
    let url = cluster.url().replace("127.0.0.1", "two.test");
    let sessions = with_resolver(&url, LIMITS, resolver);
    let started = Instant::now();
    let first = sessions.acquire().await.unwrap();
    let took = started.elapsed();
    assert!(took >= CONNECT / 2 && took < CONNECT, "{took:?}");
    // The address that answered goes first from now on.
    let started = Instant::now();
    pid(&sessions).await.unwrap();
    assert!(started.elapsed() < CONNECT / 2, "{:?}", started.elapsed());
    first.finish(Ok(())).unwrap();
}

#[tokio::test]
async fn hosts_are_tried_in_order_and_share_the_time() {
    let cluster = cluster().await;
    let (deaf, _held) = silent(SocketAddr::from(([127, 0, 0, 3], 0))).await;
    let port = cluster.port();
    let url = format!("postgres://holdfast:holdfast@{deaf},127.0.0.1:{port}/holdfast");
    pid(&sessions(&url)).await.unwrap();
    let nobody = format!("postgres://holdfast:holdfast@127.0.0.1:1,{deaf}/holdfast");
    let started = Instant::now();
    let failure = pid(&sessions(&nobody)).await.unwrap_err();
    assert_eq!(failure.reason(), Reason::ConnectTimeout);
    assert!(started.elapsed() < CONNECT * 2, "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_host_that_takes_no_writes_is_passed_over() {
    let (standby, primary) = tokio::join!(cluster(), cluster());
    sql(&standby, &READ_ONLY).await;
    let (first, second) = (standby.port(), primary.port());
    let credentials = "postgres://holdfast:holdfast@";
    let writable = "target_session_attrs=read-write";
    let url = format!("{credentials}127.0.0.1:{first},127.0.0.1:{second}/holdfast?{writable}");
    let port = ask(&sessions(&url), "show port").await.unwrap();
    assert_eq!(port, second.to_string());
    let url = format!("{credentials}127.0.0.1:{first},127.0.0.1:1/holdfast?{writable}");
    let failure = pid(&sessions(&url)).await.unwrap_err();
    assert_eq!(failure.reason(), Reason::NotWritable);
}

#[tokio::test]
async fn sessions_with_a_primary_that_was_demoted_are_given_up_and_the_new_one_is_found() {
    let (old, new) = tokio::join!(cluster(), cluster());
    let (first, second) = (old.port(), new.port());
    let url = format!(
        "postgres://holdfast:holdfast@127.0.0.1:{first},127.0.0.1:{second}/holdfast?target_session_attrs=read-write"
    );
    let sessions = sessions(&url);
    let at = "with written as (insert into requests (id, origin) values (gen_random_uuid(), 'naive')) \
        select current_setting('port')";
    assert_eq!(ask(&sessions, at).await.unwrap(), first.to_string());
    sql(&old, &READ_ONLY).await;
    let started = Instant::now();
    let failure = loop {
        match ask(&sessions, at).await {
            Ok(port) if port == second.to_string() => panic!("nobody said so"),
            Ok(_) => assert!(started.elapsed() < CONNECT, "never read only"),
            Err(failure) => break failure,
        }
    };
    assert_eq!(failure.reason(), Reason::NotWritable);
    assert_eq!(ask(&sessions, at).await.unwrap(), second.to_string());
}

#[tokio::test]
async fn a_primary_that_was_replaced_and_does_not_know_is_left_after_one_statement_that_hangs() {
    let (old, new) = tokio::join!(cluster(), cluster());
    let (first, second) = (old.port(), new.port());
    let url = format!(
        "postgres://holdfast:holdfast@127.0.0.1:{first},127.0.0.1:{second}/holdfast?target_session_attrs=read-write"
    );
    let sessions = sessions(&url);
    let at = "with written as (insert into requests (id, origin) values (gen_random_uuid(), 'naive')) \
        select current_setting('port')";
    let (one, other) = tokio::join!(ask(&sessions, at), ask(&sessions, at));
    assert_eq!(
        [one.unwrap(), other.unwrap()],
        [first.to_string(), first.to_string()]
    );
    let standby_left = "alter system set synchronous_standby_names = 'gone'";
    sql(&old, &[standby_left, "select pg_reload_conf()"]).await;
    let hung = async { while ask(&sessions, at).await.is_ok() {} };
    assert!(
        timeout(CONNECT, hung).await.is_err(),
        "its commits do not wait"
    );
    // The session that is left would answer any question.
    assert_eq!(ask(&sessions, at).await.unwrap(), second.to_string());
}
