//! The call over real sockets.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use holdfast_policy::Class;
use holdfast_wire::Reason;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};
use tokio_rustls::TlsAcceptor;
use uuid::Uuid;

use super::connections::Recipe;
use super::{MAX_AGE, WorkCall, WorkClient as _, WorkerClient, WorkerError};
use crate::config::WorkerAddress;
use crate::dependency::DependencyError;
use crate::resolver::Resolver;
use crate::tls;

/// What each connection was asked, in order.
type Heard = Arc<Mutex<Vec<Vec<String>>>>;

async fn serve(acceptor: Option<TlsAcceptor>) -> (SocketAddr, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heard = Heard::default();
    let written = heard.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (heard, acceptor) = (written.clone(), acceptor.clone());
            tokio::spawn(async move {
                match acceptor {
                    None => answer(stream, &heard).await,
                    Some(acceptor) => {
                        if let Ok(stream) = acceptor.accept(stream).await {
                            answer(stream, &heard).await;
                        }
                    }
                }
            });
        }
    });
    (address, heard)
}

async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, heard: &Heard) {
    let number = {
        let mut heard = heard.lock().unwrap();
        heard.push(Vec::new());
        heard.len() - 1
    };
    let mut request = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut request).await {
        let text = String::from_utf8_lossy(&request[..length]).into_owned();
        heard.lock().unwrap()[number].push(text);
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{\"b\":1 }";
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}

fn client(url: &str, tls: Option<rustls::ClientConfig>) -> WorkerClient {
    let worker = WorkerAddress {
        url: url.parse().unwrap(),
        tls,
    };
    let here = Handle::current();
    let resolver = Resolver::new(here.clone(), None);
    let recipe = Recipe {
        resolver,
        tls: worker.tls.clone(),
        connect_timeout: Some(Duration::from_secs(2)),
        pin: None,
    };
    WorkerClient::build(&worker, recipe, Some(MAX_AGE), here).unwrap()
}

fn call() -> WorkCall<'static> {
    WorkCall::first(Uuid::now_v7(), Some(Duration::from_millis(1234)))
}

#[tokio::test]
async fn the_worker_is_told_which_request_it_is_and_how_long_somebody_waits() {
    let (address, heard) = serve(None).await;
    let call = call();
    let client = client(&format!("http://{address}"), None);
    let body = client.work(call).await.unwrap();
    assert_eq!(body.get(), "{\"b\":1 }", "byte for byte");
    let heard = heard.lock().unwrap()[0][0].to_lowercase();
    assert!(
        heard.contains(&format!("idempotency-key: {}\r\n", call.id)),
        "{heard}"
    );
    assert!(heard.contains("x-request-timeout-ms: 1234\r\n"), "{heard}");
}

#[tokio::test]
async fn a_connection_is_left_under_steady_traffic_once_it_is_old() {
    let (address, heard) = serve(None).await;
    let client = client(&format!("http://{address}"), None);
    let started = Instant::now();
    while heard.lock().unwrap().len() < 2 {
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "the same for ever"
        );
        client.work(call()).await.unwrap();
        sleep(Duration::from_millis(50)).await;
    }
    assert!(started.elapsed() >= MAX_AGE, "{:?}", started.elapsed());
}

#[tokio::test]
async fn an_https_worker_is_called_if_an_authority_of_ours_proves_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let authority = |name: &str| {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let issuer = CertifiedIssuer::self_signed(parameters, key).unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, issuer.pem()).unwrap();
        (issuer, path.to_str().unwrap().to_owned())
    };
    let (ours, our_path) = authority("ours.pem");
    let (_, their_path) = authority("theirs.pem");
    let key = KeyPair::generate().unwrap();
    let names = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = names.signed_by(&key, &ours).unwrap();
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    let (address, _) = serve(Some(TlsAcceptor::from(Arc::new(server)))).await;
    let port = address.port();
    for (host, path, proved) in [
        ("localhost", &our_path, true),
        ("localhost", &their_path, false),
        ("127.0.0.1", &our_path, false),
    ] {
        let trust = tls::client(tls::roots(path).unwrap()).unwrap();
        let client = client(&format!("https://{host}:{port}"), Some(trust));
        match client.work(call()).await {
            Ok(_) => assert!(proved, "{host} {path}"),
            Err(error) => {
                assert!(!proved, "{host} {path}: {error:?}");
                assert_eq!(error.reason(), Reason::TlsFailure);
            }
        }
    }
    let (plain, _) = serve(None).await;
    let trust = tls::client(tls::roots(&our_path).unwrap()).unwrap();
    let client = client(&format!("https://localhost:{}", plain.port()), Some(trust));
    let refused = client.work(call()).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::TlsFailure, "{refused:?}");
}

#[test]
fn a_worker_that_refuses_everybody_fails_and_one_that_refuses_a_request_may_be_well() {
    let of = |status| WorkerError::Status {
        status,
        retry_after: None,
    };
    for status in [301, 302, 401, 403, 404, 405, 410] {
        assert_eq!(of(status).class(), Class::failure(), "{status}");
        assert!(!of(status).may_be_the_requests(), "{status}");
    }
    for status in [400, 409, 413, 415, 422] {
        assert_eq!(of(status).class(), Class::neutral(), "{status}");
        assert!(of(status).may_be_the_requests(), "{status}");
    }
    for status in [500, 503] {
        let class = Class::failure().retry_if_idempotent();
        assert_eq!(of(status).class(), class, "{status}");
    }
}

#[test]
fn a_worker_that_says_it_has_too_much_to_do_is_asked_again_later_and_for_less() {
    let pause = Duration::from_secs(3);
    let of = |status, retry_after| WorkerError::Status {
        status,
        retry_after,
    };
    assert_eq!(of(429, None).class(), Class::throttled());
    for status in [429, 503] {
        let class = of(status, Some(pause)).class();
        assert_eq!(class, Class::throttled().retry_after(pause), "{status}");
    }
}

#[test]
fn depth_counts_brackets_outside_of_texts() {
    for (json, expected) in [
        ("1", 0),
        (r#"{"a":[1,{"b":[]}]}"#, 4),
        (r#"["[[[[\"[[", "\\"]"#, 1),
    ] {
        assert_eq!(super::depth(json.as_bytes()), expected, "{json}");
    }
}
