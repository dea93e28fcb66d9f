//! A share of requests: which ones is the seed's, and the others are spared.

use holdfast_testbed::ports;
use holdfast_testbed::proxy::{Fault, FaultProxy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{connect, echo_server};

const REQUESTS: u64 = 100;

/// Which of the requests on one kept connection were answered by the upstream.
async fn spared(seed: u64) -> Vec<bool> {
    let upstream = echo_server().await.to_string();
    let addr = ports::loopback(ports::free().unwrap());
    let proxy = FaultProxy::listen(addr, &upstream, seed).await.unwrap();
    let half = Fault::Status {
        code: 500,
        share: 0.5,
    };
    proxy.set(half).await;
    let mut client = connect(&proxy).await;
    let mut spared = Vec::new();
    for _ in 0..REQUESTS {
        client.write_all(b"GET").await.unwrap();
        let mut answer = [0; 1024];
        let read = client.read(&mut answer).await.unwrap();
        spared.push(&answer[..read] == b"GET");
    }
    assert_eq!(proxy.requests(), REQUESTS);
    assert_eq!(proxy.accepted(), 1);
    spared
}

#[tokio::test]
async fn half_of_the_requests_are_hit_and_which_is_the_seeds() {
    let first = spared(1).await;
    let count = first.iter().filter(|spared| **spared).count();
    assert!((30..=70).contains(&count), "{count}");
    assert_eq!(first, spared(1).await);
    assert_ne!(first, spared(2).await);
}
