//! A request that waits for its answer when the fault begins does not escape it.

use std::time::Duration;

use holdfast_testbed::proxy::{Fault, FaultProxy};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::support::{
    ALL_500, LONG, STATUS_500, connect, ends_in_a_reset, hears, hears_nothing, hears_to_the_end,
    reset,
};

const AGES: Fault = Fault::Latency {
    delay: Duration::from_secs(3600),
    jitter: Duration::ZERO,
    share: 1.0,
};

/// A client that has asked, and the server that has not answered yet.
struct Pair {
    proxy: FaultProxy,
    listener: TcpListener,
    client: TcpStream,
    server: TcpStream,
}

impl Pair {
    async fn asked() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = FaultProxy::start(listener.local_addr().unwrap()).await;
        let proxy = proxy.unwrap();
        let mut client = connect(&proxy).await;
        client.write_all(b"question").await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        hears(&mut server, b"question").await.unwrap();
        Self {
            proxy,
            listener,
            client,
            server,
        }
    }
}

#[tokio::test]
async fn latency_holds_its_answer_back_and_the_heal_lets_it_go_at_once() {
    let mut pair = Pair::asked().await;
    pair.proxy.set(AGES).await;
    pair.server.write_all(b"answer").await.unwrap();
    hears_nothing(&mut pair.client).await;
    pair.proxy.set(Fault::None).await;
    hears(&mut pair.client, b"answer").await.unwrap();
}

#[tokio::test]
async fn an_answer_held_back_is_not_lost_to_silence() {
    let mut pair = Pair::asked().await;
    pair.proxy.set(AGES).await;
    pair.server.write_all(b"answer").await.unwrap();
    hears_nothing(&mut pair.client).await;
    pair.proxy.set(Fault::Blackhole).await;
    hears_nothing(&mut pair.client).await;
    pair.proxy.set(Fault::None).await;
    hears(&mut pair.client, b"answer").await.unwrap();
}

#[tokio::test]
async fn reset_cuts_its_answer() {
    let mut pair = Pair::asked().await;
    pair.proxy.set(reset(3)).await;
    pair.server.write_all(b"answer").await.unwrap();
    assert!(ends_in_a_reset(&mut pair.client).await <= 3);
}

#[tokio::test]
async fn garbage_answers_it() {
    let mut pair = Pair::asked().await;
    pair.proxy.set(Fault::Garbage { share: 1.0 }).await;
    let heard = hears_to_the_end(&mut pair.client).await;
    assert!(!heard.is_empty() && !heard.starts_with(b"HTTP"));
}

#[tokio::test]
async fn status_answers_it_and_the_late_answer_reaches_nobody() {
    let mut pair = Pair::asked().await;
    pair.proxy.set(ALL_500).await;
    hears(&mut pair.client, STATUS_500).await.unwrap();
    // Its connection is gone, so that this may fail.
    let _ = pair.server.write_all(b"answer").await;

    pair.proxy.set(Fault::None).await;
    pair.client.write_all(b"again").await.unwrap();
    let accepted = timeout(LONG, pair.listener.accept()).await;
    let (mut server, _) = accepted.unwrap().unwrap();
    hears(&mut server, b"again").await.unwrap();
    server.write_all(b"new answer").await.unwrap();
    hears(&mut pair.client, b"new answer").await.unwrap();
}
