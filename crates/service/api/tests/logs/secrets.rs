//! What is secret is written nowhere: not in the log, however much of it is asked for, nor in an answer or a refusal.

use holdfast_testbed::postgres::Cluster;
use tokio::process::Command;

use super::logging;

const TOKEN: &str = "the-operators-secret";
const PASSWORD: &str = "the-databases-secret";
const COLLECTORS: &str = "the-collectors-secret";

#[tokio::test]
async fn no_secret_stands_in_any_line_or_answer() {
    let cluster = Cluster::start().await.unwrap();
    let database = format!("127.0.0.1:{}/holdfast", cluster.port());
    let database = |more| format!("postgres://holdfast_api:{PASSWORD}@{database}{more}");
    let header = format!("authorization=Bearer%20{COLLECTORS}");
    // A password that is wrong, and a server that does not encrypt.
    for (url, why) in [
        (database(""), "password authentication failed"),
        (database("?sslmode=require"), "tls_failure"),
    ] {
        let (mut service, folder) = logging(&[
            ("DATABASE_URL", url.as_str()),
            ("HOLDFAST_ADMIN_TOKEN", TOKEN),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"),
            ("OTEL_EXPORTER_OTLP_HEADERS", &header),
            ("RUST_LOG", "trace"),
        ])
        .await;
        let mut shown = String::new();
        for path in [
            "/process",
            "/naive/process",
            "/status",
            "/policies",
            "/metrics",
            "/requests",
            "/requests/nothing",
            "/",
            "/openapi.json",
        ] {
            let answer = service
                .http
                .get(format!("http://{}{path}", service.address));
            shown += &answer.send().await.unwrap().text().await.unwrap();
        }
        let operated = format!("http://{}/requests/retry?status=failed", service.address);
        for (given, status) in [(TOKEN.to_owned(), 503), (format!("{TOKEN}-mistyped"), 401)] {
            let answer = service.http.post(&operated).bearer_auth(given);
            let answer = answer.send().await.unwrap();
            assert_eq!(answer.status(), status);
            shown += &answer.text().await.unwrap();
        }
        service.stop().await;
        shown += &std::fs::read_to_string(folder.path().join("log")).unwrap();
        assert!(shown.contains("api started"), "nothing was logged");
        assert!(shown.contains(why), "it never came to {why}");
        for secret in [TOKEN, PASSWORD, COLLECTORS] {
            let at = shown.find(secret);
            let around = at.map(|at| &shown[at.saturating_sub(200)..at + secret.len()]);
            assert_eq!(around, None, "{secret} is shown");
        }
    }
}

#[tokio::test]
async fn no_secret_stands_in_what_is_refused_at_start() {
    let secret = "not-to-be-seen";
    for (name, value) in [
        (
            "DATABASE_URL",
            format!("postgres://u:{secret}@h/d?sslkey=x"),
        ),
        ("DATABASE_URL", format!("postgres://u:{secret}@h:port/d")),
        ("DATABASE_URL", format!("host=h user=u password=x {secret}")),
        ("HOLDFAST_WORKER_URL", format!("http://u:{secret}@host:1")),
        ("HOLDFAST_WORKER_URL", format!("http://h:1,u:{secret}@h")),
        ("HOLDFAST_ADMIN_TOKEN", format!("{secret} and more")),
        ("HOLDFAST_ALLOWED_HOSTS", format!("u:{secret}@host")),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            format!("https://u:{secret}@collector"),
        ),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            format!("http://u:{secret}@collector"),
        ),
    ] {
        let refused = Command::new(env!("CARGO_BIN_EXE_holdfast-api"))
            .env("HOLDFAST_BIND", "127.0.0.1:0")
            .env("HOLDFAST_WORKER_URL", "http://127.0.0.1:1")
            .env("DATABASE_URL", "postgres://u:p@127.0.0.1:1/d")
            .env(name, &value)
            .output()
            .await
            .unwrap();
        let said = [refused.stdout, refused.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        assert_eq!(refused.status.code(), Some(64), "{name}: {said}");
        assert!(said.contains(name) && !said.contains(secret), "{said}");
    }
}
