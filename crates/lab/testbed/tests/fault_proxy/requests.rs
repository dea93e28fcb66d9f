//! Faults of single requests, all of them hit: on new and existing connections alike, and each heals.

use std::time::Duration;

use holdfast_testbed::ports;
use holdfast_testbed::proxy::{Fault, FaultProxy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};

use crate::support::{
    ALL_500, LONG, STATUS_500, connect, echo_server, echoes, ends_in_a_reset, hears, hears_nothing,
    hears_to_the_end, proxy, proxy_and_client, reset,
};

#[tokio::test]
async fn latency_holds_each_answer_back_give_or_take_and_heals() {
    let (proxy, mut before) = proxy_and_client().await;
    let least = Duration::from_millis(300);
    let latency = Fault::Latency {
        delay: Duration::from_millis(400),
        jitter: Duration::from_millis(100),
        share: 1.0,
    };
    proxy.set(latency).await;
    let mut during = connect(&proxy).await;
    for client in [&mut before, &mut during] {
        for text in ["one", "two"] {
            let asked = Instant::now();
            echoes(client, text).await.unwrap();
            assert!(asked.elapsed() >= least, "{:?}", asked.elapsed());
        }
    }

    proxy.set(Fault::None).await;
    for client in [&mut before, &mut during] {
        let asked = Instant::now();
        echoes(client, "quick").await.unwrap();
        assert!(asked.elapsed() < least, "{:?}", asked.elapsed());
    }
}

#[tokio::test]
async fn reset_after_nothing_cuts_before_the_upstream_is_asked() {
    let upstream = FaultProxy::start(echo_server().await).await.unwrap();
    let proxy = FaultProxy::start(upstream.addr()).await.unwrap();
    proxy.set(reset(0)).await;
    let mut client = connect(&proxy).await;
    client.write_all(b"hello").await.unwrap();
    assert_eq!(ends_in_a_reset(&mut client).await, 0);
    assert_eq!((proxy.requests(), upstream.requests()), (1, 0));
}

#[tokio::test]
async fn status_answers_for_the_upstream_keeps_the_connection_and_heals() {
    let upstream = FaultProxy::start(echo_server().await).await.unwrap();
    let proxy = FaultProxy::start(upstream.addr()).await.unwrap();
    let mut before = connect(&proxy).await;
    echoes(&mut before, "hello").await.unwrap();

    proxy.set(ALL_500).await;
    let mut during = connect(&proxy).await;
    for client in [&mut before, &mut during] {
        for _ in 0..2 {
            client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
            hears(client, STATUS_500).await.unwrap();
        }
    }
    assert_eq!((proxy.requests(), upstream.requests()), (5, 1));

    proxy.set(Fault::None).await;
    for client in [&mut before, &mut during] {
        echoes(client, "back").await.unwrap();
    }
}

#[tokio::test]
async fn a_request_lasts_until_the_client_sees_something_of_its_answer() {
    let proxy = proxy().await;
    let mut client = connect(&proxy).await;
    proxy.set(Fault::Hang).await;
    for part in [b"a", b"b", b"c"] {
        client.write_all(part).await.unwrap();
        hears_nothing(&mut client).await;
        assert_eq!(proxy.requests(), 1);
    }
    proxy.set(Fault::None).await;
    hears(&mut client, b"abc").await.unwrap();
    assert_eq!(proxy.requests(), 1);
    echoes(&mut client, "next").await.unwrap();
    assert_eq!(proxy.requests(), 2);
}

#[tokio::test]
async fn an_upstream_may_be_a_name() {
    let upstream = format!("localhost:{}", echo_server().await.port());
    let addr = ports::loopback(ports::free().unwrap());
    let proxy = FaultProxy::listen(addr, &upstream, 1).await.unwrap();
    echoes(&mut connect(&proxy).await, "hello").await.unwrap();
}

#[tokio::test]
async fn garbage_that_is_on_its_way_arrives_also_when_it_heals_meanwhile() {
    let proxy = proxy().await;
    proxy.set(Fault::Garbage { share: 1.0 }).await;
    let mut client = connect(&proxy).await;
    client.write_all(b"hello").await.unwrap();
    let first = timeout(LONG, client.read_u8()).await.unwrap().unwrap();
    proxy.set(Fault::None).await;
    let rest = hears_to_the_end(&mut client).await;
    assert!(!rest.contains(&b'h') && first != b'h');
}
