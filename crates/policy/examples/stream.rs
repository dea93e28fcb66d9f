//! A file sent and an answer received, piece by piece. With the lab up (`make up`):
//! `cargo run -p holdfast-policy --example stream -- http://127.0.0.1:8080/process order.json`
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]
use holdfast_policy::{Call, Class, Policy};
use reqwest::Client;
use std::io::{Error, Result};

/// A stream cannot be sent twice, but its file can be opened twice: each attempt reads it anew.
async fn send(client: &Client, url: String, path: &str) -> Result<usize> {
    let body = tokio::fs::File::open(path).await?;
    let answer = client.post(url).body(body).send().await;
    let whole = answer.and_then(reqwest::Response::error_for_status);
    let (mut answer, mut bytes) = (whole.map_err(Error::other)?, 0);
    // In here, so that an answer that stops half-way is a failed attempt and not a short answer.
    while let Some(piece) = answer.chunk().await.map_err(Error::other)? {
        bytes += piece.len();
    }
    Ok(bytes)
}

fn classify(outcome: &Result<usize>) -> Class {
    match outcome {
        Ok(_) => Class::success(),
        Err(error) if error.get_ref().is_none() => Class::neutral(), // the file's, not the server's
        Err(_) => Class::failure().retry_if_idempotent(),
    }
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let [url, path] = [1, 2].map(|n| std::env::args().nth(n).unwrap_or_default());
    let policy = Policy::builder("stream", toml::from_str(include_str!("policy.toml"))?);
    let (policy, client) = (policy.classify(classify).build()?, Client::new());
    let call = policy.call(Call::new(url), |url| send(&client, url, &path));
    match call.await {
        Ok(bytes) => println!("answered: {bytes} bytes"),
        Err(error) => println!("{error}"),
    }
    Ok(())
}
