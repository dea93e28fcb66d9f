//! Faults of whole connections, and the ends of connections: each bites new and existing ones, and heals.

use std::io::ErrorKind;

use holdfast_testbed::proxy::{Fault, FaultProxy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{LONG, SHORT, connect, echoes, ends_in_a_reset, proxy};

#[tokio::test]
async fn without_a_fault_bytes_and_ends_pass_in_both_directions() {
    let proxy = proxy().await;
    let mut client = connect(&proxy).await;
    echoes(&mut client, "hello").await.unwrap();
    client.shutdown().await.unwrap();
    let mut rest = Vec::new();
    timeout(LONG, client.read_to_end(&mut rest))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(rest, b"");
    assert_eq!(proxy.accepted(), 1);
}

#[tokio::test]
async fn refuse_resets_existing_connections_refuses_new_ones_and_gives_the_same_port_back() {
    let proxy = proxy().await;
    let mut before = connect(&proxy).await;
    echoes(&mut before, "hello").await.unwrap();

    proxy.set(Fault::Refuse).await;
    assert_eq!(ends_in_a_reset(&mut before).await, 0);
    for _ in 0..3 {
        let refused = TcpStream::connect(proxy.addr()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    }
    assert_eq!(proxy.accepted(), 1);

    proxy.set(Fault::None).await;
    echoes(&mut connect(&proxy).await, "back").await.unwrap();
    assert_eq!(proxy.accepted(), 2);
}

#[tokio::test]
async fn hang_accepts_and_says_nothing_and_loses_nothing_when_it_ends() {
    let proxy = proxy().await;
    let mut before = connect(&proxy).await;
    echoes(&mut before, "hello").await.unwrap();

    proxy.set(Fault::Hang).await;
    let mut during = connect(&proxy).await;
    for client in [&mut before, &mut during] {
        client.write_all(b"anyone?").await.unwrap();
        timeout(SHORT, client.read_u8())
            .await
            .expect_err("answered while hanging");
    }

    proxy.set(Fault::None).await;
    for client in [&mut before, &mut during] {
        let mut answer = [0; 7];
        timeout(LONG, client.read_exact(&mut answer))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(&answer, b"anyone?");
        echoes(client, "and on").await.unwrap();
    }
}

#[tokio::test]
async fn reset_cuts_the_answer_after_the_given_bytes_on_new_and_existing_connections() {
    let proxy = proxy().await;
    let mut before = connect(&proxy).await;
    echoes(&mut before, "hello").await.unwrap();

    proxy
        .set(Fault::Reset {
            after: 10,
            share: 1.0,
        })
        .await;
    let mut during = connect(&proxy).await;
    for client in [&mut before, &mut during] {
        client.write_all(&[b'x'; 100]).await.unwrap();
        // What the kernel still holds when the reset arrives may be thrown away, so fewer can be seen, never more.
        assert!(ends_in_a_reset(client).await <= 10);
    }

    proxy.set(Fault::None).await;
    echoes(&mut connect(&proxy).await, "back").await.unwrap();
}

#[tokio::test]
async fn garbage_answers_new_and_existing_connections_with_no_protocol() {
    let proxy = proxy().await;
    let mut before = connect(&proxy).await;
    echoes(&mut before, "hello").await.unwrap();

    proxy.set(Fault::Garbage { share: 1.0 }).await;
    let mut during = connect(&proxy).await;
    for client in [&mut before, &mut during] {
        client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        timeout(LONG, client.read_to_end(&mut answer))
            .await
            .unwrap()
            .unwrap();
        assert!(!answer.is_empty());
        assert!(!answer.starts_with(b"GET") && !answer.starts_with(b"HTTP"));
    }

    proxy.set(Fault::None).await;
    echoes(&mut connect(&proxy).await, "back").await.unwrap();
}

#[tokio::test]
async fn an_upstream_that_is_not_there_resets_the_client() {
    let nobody = holdfast_testbed::ports::loopback(holdfast_testbed::ports::free().unwrap());
    let proxy = FaultProxy::start(nobody).await.unwrap();
    assert_eq!(ends_in_a_reset(&mut connect(&proxy).await).await, 0);
}

#[tokio::test]
async fn a_dropped_proxy_frees_its_port_and_resets_its_connections() {
    let proxy = proxy().await;
    let addr = proxy.addr();
    let mut client = connect(&proxy).await;
    echoes(&mut client, "hello").await.unwrap();
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
    let mut received = vec![0; 1_000_000];
    timeout(LONG, from.read_exact(&mut received))
        .await
        .unwrap()
        .unwrap();
    proxy.set(Fault::Hang).await;
    tokio::task::yield_now().await;
    proxy.set(Fault::None).await;
    let mut rest = vec![0; 3_000_000];
    timeout(LONG, from.read_exact(&mut rest))
        .await
        .unwrap()
        .unwrap();
    received.extend(rest);
    assert!(received == expected);
    writer.await.unwrap().unwrap();
}
