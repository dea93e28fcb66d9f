//! More work than is accepted at once.

use std::time::Duration;

use holdfast_wire::{DegradedCode, Reason, RequestList};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::support::{Answer, System};

#[tokio::test]
async fn beyond_max_in_flight_a_call_is_refused_at_once_and_nothing_is_recorded() {
    let system = System::with("process.max_in_flight = 2", Duration::from_millis(300)).await;
    let (first, second, refused) = tokio::join!(
        system.api.get("/process"),
        system.api.get("/process"),
        async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let started = Instant::now();
            let answer = Answer::read(system.api.get("/process").await).await;
            assert!(
                started.elapsed() < Duration::from_millis(150),
                "{:?}",
                started.elapsed()
            );
            answer
        }
    );
    assert_eq!(
        (first.status().as_u16(), second.status().as_u16()),
        (200, 200)
    );
    assert_eq!(refused.status, 503);
    assert_eq!(refused.problem().code.as_str(), "overloaded");
    assert_eq!(
        refused.reason(DegradedCode::Overloaded),
        Reason::BulkheadFull
    );
    assert!(refused.retry_after.unwrap() >= 1);

    let list: RequestList = system.api.get("/requests").await.json().await.unwrap();
    assert_eq!(list.total, 2);
    assert_eq!(system.api.process().await.status, 200);
}

#[tokio::test]
async fn a_client_that_dawdles_over_its_body_takes_no_place() {
    let system = System::with("process.max_in_flight = 1", Duration::from_millis(50)).await;
    let mut slow = TcpStream::connect(system.api.address).await.unwrap();
    let begun = b"POST /process HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\n{";
    slow.write_all(begun).await.unwrap();
    for _ in 0..3 {
        assert_eq!(system.api.process().await.status, 200);
    }
}
