//! Which requests are answered: by the host they name, and by the page a browser sent them from.

use reqwest::{Response, StatusCode};

use crate::support::{Api, System};

async fn ask(api: &Api, method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = api.request(method, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

async fn status(api: &Api, method: &str, path: &str, headers: &[(&str, &str)]) -> StatusCode {
    ask(api, method, path, headers).await.status()
}

#[tokio::test]
async fn another_host_than_loopbacks_is_a_421_on_every_route() {
    let system = System::start().await;
    for path in ["/", "/process", "/status", "/livez", "/nowhere"] {
        let answer = ask(&system.api, "GET", path, &[("host", "rebound.example")]).await;
        assert_eq!(answer.status(), 421, "{path}");
        assert!(answer.headers().contains_key("x-request-id"));
        assert!(answer.text().await.unwrap().contains("misdirected_request"));
    }
    for host in ["localhost", "127.0.0.1:1", "[::1]:8080"] {
        assert_eq!(
            status(&system.api, "GET", "/status", &[("host", host)]).await,
            200
        );
    }
    // A probe by address comes from whoever runs the container.
    let by_address = [("host", "10.1.2.3:8080")];
    assert_eq!(
        status(&system.api, "GET", "/readyz", &by_address).await,
        200
    );
    assert_eq!(
        status(&system.api, "GET", "/status", &by_address).await,
        421
    );
}

#[tokio::test]
async fn what_another_sites_page_sends_has_no_effect() {
    let system = System::start().await;
    let foreign: [&[(&str, &str)]; 5] = [
        &[("sec-fetch-site", "cross-site")],
        &[
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "Cross-Site"),
        ],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[
            ("origin", "http://127.0.0.1:1"),
            ("sec-fetch-site", "same-site"),
        ],
    ];
    for headers in foreign {
        for (method, path) in [
            ("GET", "/process"),
            ("POST", "/process"),
            ("GET", "/naive/process"),
            ("POST", "/naive/process"),
            // The same routes, spelled otherwise.
            ("GET", "/%70rocess"),
            ("GET", "/naive/proces%73"),
        ] {
            let answer = ask(&system.api, method, path, headers).await;
            assert_eq!(answer.status(), 403, "{method} {path} {headers:?}");
            assert!(answer.text().await.unwrap().contains("cross_site_request"));
        }
        assert_eq!(status(&system.api, "GET", "/status", headers).await, 200);
    }
    let rows = "SELECT count(*) FROM requests";
    let rows = system.sql().await.query_one(rows, &[]).await.unwrap();
    assert_eq!(rows.get::<_, i64>(0), 0);

    let own = format!("http://{}", system.api.address);
    for headers in [("origin", own.as_str()), ("sec-fetch-site", "same-origin")] {
        assert_eq!(
            status(&system.api, "POST", "/process", &[headers]).await,
            200
        );
    }
}

#[tokio::test]
async fn a_head_is_a_get_without_a_body_wherever_that_has_no_effect() {
    let system = System::start().await;
    for path in [
        "/",
        "/events",
        "/status",
        "/requests",
        "/livez",
        "/metrics",
        "/openapi.json",
    ] {
        let head = ask(&system.api, "HEAD", path, &[]).await;
        assert_eq!(head.status(), 200, "{path}");
        assert!(head.headers().contains_key("content-type"), "{path}");
        assert_eq!(head.text().await.unwrap(), "", "{path}");
    }
    for path in ["/process", "/naive/process"] {
        let head = ask(&system.api, "HEAD", path, &[]).await;
        assert_eq!(head.status(), 405);
        assert_eq!(head.headers()["allow"], "GET, POST");
    }
}
