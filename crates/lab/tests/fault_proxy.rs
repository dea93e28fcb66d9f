//! The fault proxy before a real server: every fault bites new and existing connections, and every heal heals.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may be blunt"
)]

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use holdfast_lab::proxy::{Fault, FaultProxy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

const LONG: Duration = Duration::from_secs(5);
/// Long enough for an answer over loopback, short enough to wait for silence.
const SHORT: Duration = Duration::from_millis(150);

/// A server that sends back what it is sent.
async fn echo_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                let _ = tokio::io::copy(&mut from, &mut to).await;
            });
        }
    });
    addr
}

async fn proxy() -> FaultProxy {
    FaultProxy::start(echo_server().await).await.unwrap()
}

async fn connect(proxy: &FaultProxy) -> TcpStream {
    TcpStream::connect(proxy.addr()).await.unwrap()
}

async fn echoes(stream: &mut TcpStream, text: &str) -> std::io::Result<()> {
    stream.write_all(text.as_bytes()).await?;
    let mut answer = vec![0; text.len()];
    timeout(LONG, stream.read_exact(&mut answer))
        .await
        .expect("no answer")?;
    assert_eq!(answer, text.as_bytes());
    Ok(())
}

async fn ends_in_a_reset(stream: &mut TcpStream) -> usize {
    let mut seen = 0;
    let mut buffer = [0; 1024];
    loop {
        match timeout(LONG, stream.read(&mut buffer))
            .await
            .expect("no end")
        {
            Ok(0) => panic!("closed, not reset, after {seen} bytes"),
            Ok(n) => seen += n,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::ConnectionReset);
                return seen;
            }
        }
    }
}

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

    proxy.set(Fault::Reset { after: 10 }).await;
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

    proxy.set(Fault::Garbage).await;
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
    let nobody = holdfast_lab::ports::loopback(holdfast_lab::ports::free().unwrap());
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
