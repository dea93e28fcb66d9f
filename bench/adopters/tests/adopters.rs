//! Each adopter as its operator runs it, while the service that it depends on dies, hangs and comes back.

use std::io::{BufRead, BufReader};
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Endpoint, Server};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

/// What the policy says of each way in which a dependency is gone.
const REFUSES: &str = "its circuit breaker is open";
const HANGS: &str = "no answer within the attempt timeout";
/// So often an adopter is asked until it says what is waited for, well beyond the longest open time.
const ASKED: u32 = 1_000;
const PAUSE: Duration = Duration::from_millis(50);

#[test]
fn the_shop_on_axum_says_that_it_knows_no_prices_and_knows_them_again() {
    holds_and_recovers(env!("CARGO_BIN_EXE_shop"), prices, "3", async |shop| {
        let answer = reqwest::get(shop).await.unwrap();
        let is_known = answer.status().is_success();
        let said = answer.text().await.unwrap();
        if is_known { Ok(said) } else { Err(said) }
    });
}

#[test]
fn the_gateway_on_tonic_says_that_the_service_is_unavailable_and_serves_it_again() {
    holds_and_recovers(
        env!("CARGO_BIN_EXE_gateway"),
        health,
        "1",
        async |gateway| {
            let channel = Endpoint::new(gateway).unwrap().connect().await.unwrap();
            let mut gateway = HealthClient::new(channel);
            let answer = gateway.check(HealthCheckRequest::default()).await;
            let status = answer.map(|answer| answer.into_inner().status.to_string());
            status.map_err(|error| error.message().to_owned())
        },
    );
}

/// `ask` puts one question to the adopter; its answer is `well` while the dependency is.
fn holds_and_recovers<A>(program: &str, serve: Serve, well: &str, ask: A)
where
    A: AsyncFn(String) -> Result<String, String>,
{
    let client = Runtime::new().unwrap();
    let mut dependency = Dependency::start(serve);
    let adopter = Adopter::start(program, &dependency.url());
    let once = || client.block_on(ask(adopter.url.clone()));
    let until = |wanted: &dyn Fn(&Result<String, String>) -> bool| {
        let mut answers = std::iter::repeat_with(once).take(ASKED as usize);
        let found = answers.any(|answer| {
            std::thread::sleep(PAUSE);
            wanted(&answer)
        });
        assert!(found, "{program} goes on to say {:?}", once());
    };
    let is_well = |answer: &Result<String, String>| answer.as_deref() == Ok(well);
    let says = |words| move |answer: &Result<String, String>| matches!(answer, Err(said) if said.contains(words));

    assert_eq!(once().as_deref(), Ok(well));
    dependency.kill();
    until(&says(REFUSES));
    dependency.recover();
    until(&is_well);
    dependency.hang();
    until(&says(HANGS));
    until(&says(REFUSES));
    dependency.recover();
    until(&is_well);
}

/// An adopter's process, killed when dropped.
struct Adopter {
    process: Child,
    url: String,
}

impl Adopter {
    fn start(program: &str, argument: &str) -> Self {
        let mut command = Command::new(program);
        let mut process = command
            .arg(argument)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        said.read_line(&mut address).unwrap();
        let url = format!("http://{}", address.trim());
        Self { process, url }
    }
}

impl Drop for Adopter {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What an adopter depends on, on a runtime of its own: with that, all of its tasks and connections end.
struct Dependency {
    port: u16,
    serve: Serve,
    runtime: Option<Runtime>,
}

type Serve = fn(TcpListener) -> Pin<Box<dyn Future<Output = ()> + Send>>;

impl Dependency {
    fn start(serve: Serve) -> Self {
        let mut dependency = Self {
            port: 0,
            serve,
            runtime: None,
        };
        dependency.run(serve);
        dependency
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn recover(&mut self) {
        self.kill();
        self.run(self.serve);
    }

    /// Its port stays open, and nobody answers there.
    fn hang(&mut self) {
        self.kill();
        self.run(|listener| {
            Box::pin(async move {
                let _open = listener;
                std::future::pending().await
            })
        });
    }

    fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(10));
        }
    }

    fn run(&mut self, serve: Serve) {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", self.port)));
        let listener = listener.unwrap();
        self.port = listener.local_addr().unwrap().port();
        runtime.spawn(async move { serve(listener).await });
        self.runtime = Some(runtime);
    }
}

fn prices(listener: TcpListener) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    let prices = Router::new().route("/", get(async || "3"));
    Box::pin(async move { axum::serve(listener, prices).await.unwrap() })
}

fn health(listener: TcpListener) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        let (_reporter, health) = tonic_health::server::health_reporter();
        let server = Server::builder().add_service(health);
        let incoming = TcpIncoming::from(listener);
        server.serve_with_incoming(incoming).await.unwrap();
    })
}
