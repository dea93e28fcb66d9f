//! Servers, clients, and what a client sees.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use holdfast_testbed::proxy::{Fault, FaultProxy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

pub(crate) const LONG: Duration = Duration::from_secs(5);
/// Long enough for an answer over loopback, short enough to wait for silence.
pub(crate) const SHORT: Duration = Duration::from_millis(150);
pub(crate) const ALL_500: Fault = Fault::Status {
    code: 500,
    share: 1.0,
};

pub(crate) fn reset(after: usize) -> Fault {
    Fault::Reset { after, share: 1.0 }
}

/// What the proxy answers for a fault of status 500.
pub(crate) const STATUS_500: &[u8] = b"HTTP/1.1 500 \r\ncontent-length: 0\r\n\r\n";

/// A server that sends back what it is sent.
pub(crate) async fn echo_server() -> SocketAddr {
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

pub(crate) async fn proxy() -> FaultProxy {
    FaultProxy::start(echo_server().await).await.unwrap()
}

/// A proxy, and a client that was answered through it.
pub(crate) async fn proxy_and_client() -> (FaultProxy, TcpStream) {
    let proxy = proxy().await;
    let mut client = connect(&proxy).await;
    echoes(&mut client, "hello").await.unwrap();
    (proxy, client)
}

pub(crate) async fn heals(proxy: &FaultProxy) {
    proxy.set(Fault::None).await;
    echoes(&mut connect(proxy).await, "back").await.unwrap();
}

pub(crate) async fn connect(proxy: &FaultProxy) -> TcpStream {
    TcpStream::connect(proxy.addr()).await.unwrap()
}

pub(crate) async fn echoes(stream: &mut TcpStream, text: &str) -> io::Result<()> {
    stream.write_all(text.as_bytes()).await?;
    hears(stream, text.as_bytes()).await
}

/// The next that comes is exactly this.
pub(crate) async fn hears(stream: &mut TcpStream, expected: &[u8]) -> io::Result<()> {
    let mut heard = vec![0; expected.len()];
    timeout(LONG, stream.read_exact(&mut heard))
        .await
        .expect("no answer")?;
    assert_eq!(heard, expected);
    Ok(())
}

/// All that comes until the server ends the connection, without a reset.
pub(crate) async fn hears_to_the_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut heard = Vec::new();
    let ended = timeout(LONG, stream.read_to_end(&mut heard)).await;
    ended.expect("no end").unwrap();
    heard
}

pub(crate) async fn hears_nothing(stream: &mut TcpStream) {
    let heard = timeout(SHORT, stream.read_u8()).await;
    assert!(heard.is_err(), "answered: {heard:?}");
}

pub(crate) async fn ends_in_a_reset(stream: &mut TcpStream) -> usize {
    let mut seen = 0;
    let mut buffer = [0; 1024];
    loop {
        let read = timeout(LONG, stream.read(&mut buffer)).await;
        match read.expect("no end") {
            Ok(0) => panic!("closed, not reset, after {seen} bytes"),
            Ok(n) => seen += n,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::ConnectionReset);
                return seen;
            }
        }
    }
}
