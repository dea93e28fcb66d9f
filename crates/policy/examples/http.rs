//! An HTTP client behind a policy. With the lab up (`make up`), or with any other `http` URL:
//! `cargo run -p holdfast-policy --example http -- http://127.0.0.1:8080/livez`
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use holdfast_policy::{Call, Class, Policy};
use reqwest::{Client, Url};

/// The whole exchange, body included: the policy bounds and judges what happens in here.
async fn fetch(client: &Client, url: Url) -> reqwest::Result<String> {
    let answer = client.get(url).send().await?.error_for_status()?;
    answer.text().await
}

/// What an outcome says about the server, and whether to try again.
fn classify(outcome: &reqwest::Result<String>) -> Class {
    match outcome {
        Ok(_) => Class::success(),
        // It never heard of us: trying again is safe, whatever we asked.
        Err(error) if error.is_connect() => Class::failure().retry_always(),
        // 4xx: the server is well, the request is not.
        Err(error) if error.status().is_some_and(|it| it.is_client_error()) => Class::neutral(),
        // 5xx, or no whole answer: it may have done what we asked.
        Err(_) => Class::failure().retry_if_idempotent(),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url: Url = std::env::args().nth(1).ok_or("which URL?")?.parse()?;
    let config = toml::from_str(include_str!("policy.toml"))?;
    let policy = Policy::builder("http", config).classify(classify).build()?;
    // No proxy: the connection to be judged is the one to the server.
    let client = Client::builder().no_proxy().build()?;
    match policy.call(Call::new(url), |url| fetch(&client, url)).await {
        Ok(body) => println!("answered: {body}"),
        Err(error) => println!("{error}"),
    }
    Ok(())
}
