//! A shop on axum. It asks another service for its prices, and says when it cannot know them:
//! `shop http://127.0.0.1:9000/price`

use axum::{Router, http::StatusCode, routing::get};
use holdfast_policy::{Call, Class, Policy, PolicyConfig, http::class_of_error};
use reqwest::{Client, Result};

/// The whole exchange, body included: the policy bounds and judges what happens in here.
async fn ask(client: Client, url: String) -> Result<String> {
    let answer = client.get(url).send().await?;
    answer.error_for_status()?.text().await
}

fn classify(outcome: &Result<String>) -> Class {
    let error = outcome.as_ref().err();
    error.map_or(Class::success(), class_of_error)
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).ok_or("whose prices?")?;
    // As impatient as with a database, for it is as near.
    let policy = Policy::builder("prices", PolicyConfig::database_statement());
    let (policy, client) = (policy.classify(classify).build()?, Client::new());
    let price = async move || {
        let call = Call::new(url).idempotent(true);
        let answer = policy.call(call, |url| ask(client.clone(), url)).await;
        answer.map_err(|error| (StatusCode::SERVICE_UNAVAILABLE, error.to_string()))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let shop = Router::new().route("/", get(price));
    Ok(axum::serve(listener, shop).await?)
}
