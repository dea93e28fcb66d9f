//! Faults of whole connections, and the ends of connections: each bites new and existing ones, and heals.

use std::io::ErrorKind;

use holdfast_testbed::ports;
use holdfast_testbed::proxy::{Fault, FaultProxy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{
    LONG, connect, echoes, ends_in_a_reset, heals, hears, hears_nothing, hears_to_the_end, proxy,
    proxy_and_client, reset,
};

#[tokio::test]
async fn without_a_fault_bytes_and_ends_pass_in_both_directions() {
    let (proxy, mut client) = proxy_and_client().await;
    client.shutdown().await.unwrap();
    assert_eq!(hears_to_the_end(&mut client).await, b"");
    assert_eq!(proxy.accepted(), 1);
}

#[tokio::test]
async fn refuse_resets_existing_connections_refuses_new_ones_and_gives_the_same_port_back() {
    let (proxy, mut before) = proxy_and_client().await;
    proxy.set(Fault::Refuse).await;
    assert_eq!(ends_in_a_reset(&mut before).await, 0);
    for _ in 0..3 {
        let refused = TcpStream::connect(proxy.addr()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    }
    assert_eq!(proxy.accepted(), 1);

    heals(&proxy).await;
    assert_eq!(proxy.accepted(), 2);
}

#[tokio::test]
async fn hang_accepts_and_says_nothing_and_loses_nothing_when_it_ends() {
    let (proxy, mut before) = proxy_and_client().await;
    proxy.set(Fault::Hang).await;
    let mut during = connect(&proxy).await;
    for client in [&mut before, &mut during] {
        client.write_all(b"anyone?").await.unwrap();
        hears_nothing(client).await;
    }

    proxy.set(Fault::None).await;
    for client in [&mut before, &mut during] {
        hears(client, b"anyone?").await.unwrap();
        echoes(client, "and on").await.unwrap();
    }
}

#[tokio::test]
async fn reset_cuts_each_answer_after_the_given_bytes_and_a_shorter_one_passes_whole() {
    let (proxy, mut before) = proxy_and_client().await;
    proxy.set(reset(10)).await;
    let mut during = connect(&proxy).await;
    for client in [&mut before, &mut during] {
        for _ in 0..3 {
            echoes(client, "short").await.unwrap();
        }
        client.write_all(&[b'x'; 100]).await.unwrap();
        // What the kernel still holds when the reset arrives may be thrown away, so fewer can be seen, never more.
        assert!(ends_in_a_reset(client).await <= 10);
    }
    heals(&proxy).await;
}

#[tokio::test]
async fn garbage_answers_new_and_existing_connections_with_no_protocol() {
    let (proxy, mut before) = proxy_and_client().await;
    proxy.set(Fault::Garbage { share: 1.0 }).await;
    let mut during = connect(&proxy).await;
    for client in [&mut before, &mut during] {
        client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        let answer = hears_to_the_end(client).await;
        assert!(!answer.is_empty());
        assert!(!answer.starts_with(b"GET") && !answer.starts_with(b"HTTP"));
    }
    heals(&proxy).await;
}

#[tokio::test]
async fn an_upstream_that_is_not_there_or_a_name_that_leads_nowhere_resets_the_client() {
    let nobody = ports::loopback(ports::free().unwrap()).to_string();
    for upstream in [nobody.as_str(), "nowhere.invalid:1"] {
        let addr = ports::loopback(ports::free().unwrap());
        let proxy = FaultProxy::listen(addr, upstream, 1).await.unwrap();
        assert_eq!(ends_in_a_reset(&mut connect(&proxy).await).await, 0);
    }
}

#[tokio::test]
async fn a_dropped_proxy_frees_its_port_and_resets_its_connections() {
    let (proxy, mut client) = proxy_and_client().await;
    let addr = proxy.addr();
    drop(proxy);
    ends_in_a_reset(&mut client).await;
    let refused = TcpStream::connect(addr).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn large_transfers_survive_a_hang_in_the_middle_byte_for_byte() {
    let proxy = proxy().await;
    let (mut from, mut to) = connect(&proxy).await.into_split();
    let sent: Vec<u8> = (0..4_000_000_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let expected = sent.clone();
    let writer = tokio::spawn(async move { to.write_all(&sent).await.map(|()| to) });
    let mut received = vec![0; 4_000_000];
    let (first, rest) = received.split_at_mut(1_000_000);
    let read = timeout(LONG, from.read_exact(first)).await;
    read.unwrap().unwrap();
    proxy.set(Fault::Hang).await;
    tokio::task::yield_now().await;
    proxy.set(Fault::None).await;
    let read = timeout(LONG, from.read_exact(rest)).await;
    read.unwrap().unwrap();
    assert!(received == expected);
    writer.await.unwrap().unwrap();
}
