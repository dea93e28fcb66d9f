//! Dropped packets: nobody can connect, nobody hears anything, and nothing is lost when it ends.

use std::time::Duration;

use holdfast_testbed::proxy::{Fault, FaultProxy};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::support::{
    LONG, SHORT, connect, echoes, ends_in_a_reset, heals, hears, hears_nothing, proxy,
    proxy_and_client,
};

async fn nobody_can_connect(proxy: &FaultProxy) {
    for _ in 0..3 {
        let connected = timeout(SHORT, TcpStream::connect(proxy.addr())).await;
        assert!(connected.is_err(), "connected or refused: {connected:?}");
    }
}

#[tokio::test]
async fn connecting_times_out_existing_connections_fall_silent_and_all_of_it_heals() {
    let (proxy, mut before) = proxy_and_client().await;
    proxy.set(Fault::Blackhole).await;
    nobody_can_connect(&proxy).await;
    before.write_all(b"anyone?").await.unwrap();
    hears_nothing(&mut before).await;

    proxy.set(Fault::None).await;
    hears(&mut before, b"anyone?").await.unwrap();
    echoes(&mut before, "and on").await.unwrap();
    echoes(&mut connect(&proxy).await, "back").await.unwrap();
    assert_eq!(proxy.accepted(), 2, "what filled the queue was counted");
}

#[tokio::test]
async fn who_keeps_trying_to_connect_gets_through_when_it_heals() {
    let proxy = proxy().await;
    proxy.set(Fault::Blackhole).await;
    let addr = proxy.addr();
    // The kernel sends the SYN again after one second, then after two more.
    let patient = tokio::spawn(async move { TcpStream::connect(addr).await });
    nobody_can_connect(&proxy).await;
    assert!(!patient.is_finished());
    proxy.set(Fault::None).await;
    let mut patient = timeout(LONG, patient).await.unwrap().unwrap().unwrap();
    echoes(&mut patient, "at last").await.unwrap();
}

#[tokio::test]
async fn it_can_be_set_twice_and_changed_for_any_other_fault() {
    let (proxy, mut before) = proxy_and_client().await;
    proxy.set(Fault::Blackhole).await;
    proxy.set(Fault::Blackhole).await;
    nobody_can_connect(&proxy).await;

    proxy.set(Fault::Hang).await;
    let mut during = connect(&proxy).await;
    during.write_all(b"kept").await.unwrap();
    hears_nothing(&mut during).await;

    proxy.set(Fault::Refuse).await;
    ends_in_a_reset(&mut before).await;
    TcpStream::connect(proxy.addr()).await.unwrap_err();

    proxy.set(Fault::Blackhole).await;
    nobody_can_connect(&proxy).await;
    heals(&proxy).await;
}

#[tokio::test]
async fn it_is_in_force_when_set_returns_however_many_are_just_connecting() {
    let proxy = proxy().await;
    let addr = proxy.addr();
    let mut callers = JoinSet::new();
    for _ in 0..8 {
        callers.spawn(async move {
            loop {
                let _ = timeout(SHORT, TcpStream::connect(addr)).await;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
    }
    for _ in 0..3 {
        proxy.set(Fault::Blackhole).await;
        nobody_can_connect(&proxy).await;
        heals(&proxy).await;
    }
}
