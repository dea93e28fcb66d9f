//! Whatever a client sends, it gets a clear 4xx or a closed connection, and the next client is served.

use std::time::Duration;

use holdfast_wire::Problem;
use reqwest::Response;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{Api, System};

async fn assert_problem(response: Response, status: u16, code: &str) {
    assert_eq!(response.status(), status);
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    let request_id = response.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let problem: Problem = response.json().await.unwrap();
    assert_eq!(problem.code.as_str(), code);
    assert_eq!(problem.status, status);
    assert_eq!(problem.kind, format!("urn:holdfast:problem:{code}"));
    assert_eq!(problem.request_id.to_string(), request_id);
    assert!(!problem.title.is_empty() && !problem.detail.is_empty());
}

#[tokio::test]
async fn a_body_that_is_no_json_is_a_400() {
    let system = System::start().await;
    let deep = "[".repeat(30_000) + &"]".repeat(30_000);
    let bodies: [&[u8]; 6] = [
        b"{",
        b"{\"a\":}",
        b"hello",
        b"\xff\xfe",
        b" ",
        deep.as_bytes(),
    ];
    for body in bodies {
        for path in ["/process", "/naive/process"] {
            assert_problem(
                system.api.post(path, body.to_vec()).await,
                400,
                "invalid_json",
            )
            .await;
        }
    }
    assert_eq!(system.api.post("/process", "null").await.status(), 200);
    assert_eq!(system.api.post("/process", "").await.status(), 200);
}

#[tokio::test]
async fn a_body_beyond_64_kib_is_a_413_and_one_of_64_kib_is_taken() {
    let system = System::start().await;
    let json_of = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    assert_eq!(
        system
            .api
            .post("/process", json_of(64 * 1024))
            .await
            .status(),
        200
    );
    for bytes in [64 * 1024 + 1, 1024 * 1024] {
        let response = system.api.post("/process", json_of(bytes)).await;
        assert_problem(response, 413, "body_too_large").await;
    }
    // One that is announced is not waited for.
    let announced =
        b"POST /process HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99999999999\r\n\r\n{";
    let answer = exchange(&system.api, announced).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn bad_ids_queries_routes_and_methods_are_named() {
    let system = System::start().await;
    let api = &system.api;
    for id in ["42", "%00", "not-a-uuid", "0198c0de"] {
        assert_problem(api.get(&format!("/requests/{id}")).await, 400, "invalid_id").await;
    }
    for query in [
        "status=lost",
        "limit=0",
        "limit=many",
        "page=2",
        "status=%ff",
    ] {
        assert_problem(
            api.get(&format!("/requests?{query}")).await,
            400,
            "invalid_query",
        )
        .await;
    }
    for path in [
        "/nowhere",
        "/process/",
        "/naive",
        "/requests/a/b",
        "/%2e%2e/etc/passwd",
    ] {
        assert_problem(api.get(path).await, 404, "not_found").await;
    }
    for (method, path, allow) in [
        ("DELETE", "/process", "GET, POST"),
        ("PUT", "/naive/process", "GET, POST"),
        ("POST", "/requests", "GET, HEAD"),
        ("POST", "/status", "GET, HEAD"),
        ("BREW", "/policies", "GET, HEAD"),
    ] {
        let response = api.request(method, path).send().await.unwrap();
        assert_eq!(response.headers()["allow"], allow);
        assert_problem(response, 405, "method_not_allowed").await;
    }
}

#[tokio::test]
async fn a_body_that_is_encoded_is_a_415() {
    let system = System::start().await;
    for path in ["/process", "/naive/process"] {
        let sent = system.api.request("POST", path).body("1");
        let response = sent
            .header("content-encoding", "gzip")
            .send()
            .await
            .unwrap();
        assert_problem(response, 415, "unsupported_content_encoding").await;
        let sent = system.api.request("POST", path).body("1");
        let response = sent.header("content-encoding", "Identity").send().await;
        assert_eq!(response.unwrap().status(), 200);
        let sent = system.api.request("POST", path).body("1");
        let sent = sent.header("content-encoding", "identity");
        let response = sent.header("content-encoding", "gzip").send().await;
        assert_problem(response.unwrap(), 415, "unsupported_content_encoding").await;
        // What is not there has no encoding.
        let sent = system.api.request("GET", path);
        let response = sent.header("content-encoding", "gzip").send().await;
        assert_eq!(response.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn absurd_requests_get_a_4xx_or_a_closed_connection() {
    let system = System::start().await;
    let many = (0..500)
        .map(|n| format!("x-{n}: y\r\n"))
        .collect::<String>();
    let long = "y".repeat(1_000_000);
    for said in [
        format!("GET /process HTTP/1.1\r\nhost: localhost\r\n{many}\r\n"),
        format!("GET /process HTTP/1.1\r\nhost: localhost\r\nx: {long}\r\n\r\n"),
        format!("GET /{long} HTTP/1.1\r\nhost: localhost\r\n\r\n"),
        "GET /process HTTP/9.9\r\n\r\n".to_owned(),
        "POST /process HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n".to_owned(),
        "POST /process HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n"
            .to_owned(),
        "POST /process HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n".to_owned(),
        "\0\0\0\0\r\n\r\n".to_owned(),
    ] {
        let answer = exchange(&system.api, said.as_bytes()).await;
        let what = &said[..said.len().min(60)];
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{what}: {answer}"
        );
    }
    assert_eq!(system.api.process().await.status, 200);
}

#[tokio::test]
async fn what_is_no_request_is_a_400_with_a_problem_and_ends_the_connection() {
    let system = System::start().await;
    let many = (0..500)
        .map(|n| format!("x-{n}: y\r\n"))
        .collect::<String>();
    for said in [
        "GET /process HTTP/1.1\r\n\r\n",
        &format!("GET /process HTTP/1.1\r\nhost: localhost\r\n{many}\r\n"),
        "GET /process HTTP/1.1\r\nhost: localhost\r\nhost: localhost\r\n\r\n",
        "GET /process HTTP/1.1\r\nhost: localhost\r\nx : y\r\n\r\n",
        "POST /process HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n1",
        "\0\0\r\n\r\n",
    ] {
        let answer = exchange(&system.api, said.as_bytes()).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 400 "), "{said}: {answer}");
        assert!(
            head.contains("content-type: application/problem+json"),
            "{head}"
        );
        assert!(head.contains("connection: close"), "{head}");
        let problem: Problem = serde_json::from_str(body).unwrap();
        assert_eq!(problem.code.as_str(), "invalid_request");
        assert!(head.contains(&format!("x-request-id: {}", problem.request_id)));
    }
    assert_eq!(system.api.process().await.status, 200);
}

#[tokio::test]
async fn what_is_no_request_behind_a_pipelined_one_is_a_400_with_a_problem_too() {
    let system = System::start().await;
    for ahead in ["GET /livez", "HEAD /livez", "GET /status"] {
        let said = format!("{ahead} HTTP/1.1\r\nhost: localhost\r\n\r\nno request\r\n\r\n");
        let answer = whole(&system.api, said.as_bytes()).await;
        let (first, refusal) = answer.split_once("HTTP/1.1 400 ").unwrap();
        assert!(first.starts_with("HTTP/1.1 200 "), "{ahead}: {answer}");
        let (head, body) = refusal.split_once("\r\n\r\n").unwrap();
        let problem: Problem = serde_json::from_str(body).unwrap();
        assert_eq!(problem.code.as_str(), "invalid_request");
        assert!(head.contains(&format!("x-request-id: {}", problem.request_id)));
    }
    assert_eq!(system.api.process().await.status, 200);
}

#[tokio::test]
async fn a_request_that_never_finishes_its_headers_is_cut_off() {
    let system = System::start().await;
    let answer = exchange(
        &system.api,
        b"GET /process HTTP/1.1\r\nhost: localhost\r\nx-unfinis",
    )
    .await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 408"),
        "{answer}"
    );
    assert_eq!(system.api.process().await.status, 200);
}

#[tokio::test]
async fn a_body_that_never_arrives_is_a_408() {
    let system = System::start().await;
    let said = b"POST /process HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\n{";
    let answer = exchange(&system.api, said).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("request_timeout"), "{answer}");
}

/// Says `said` on a connection of its own and hears the first answer, which must end.
async fn exchange(api: &Api, said: &[u8]) -> String {
    hear(api, said, |answer| answer.contains('}')).await
}

/// Says `said` on a connection of its own and hears all answers, until the server closes it.
async fn whole(api: &Api, said: &[u8]) -> String {
    hear(api, said, |_| false).await
}

async fn hear(api: &Api, said: &[u8], is_enough: impl Fn(&str) -> bool) -> String {
    let mut stream = TcpStream::connect(api.address).await.unwrap();
    // The server may close while it is still being talked to.
    let _ = stream.write_all(said).await;
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    let heard = timeout(Duration::from_secs(15), async {
        while let Ok(read @ 1..) = stream.read(&mut chunk).await {
            answer.extend_from_slice(&chunk[..read]);
            if is_enough(&String::from_utf8_lossy(&answer)) {
                break;
            }
        }
    });
    heard.await.expect("neither an answer nor an end");
    String::from_utf8_lossy(&answer).into_owned()
}
