//! A tower service with a policy as its layer, and what callers see before and after the breaker
//! opens: `cargo run -p holdfast-policy --example service`
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::io;

use holdfast_policy::{BreakerState, Call, Policy};
use tower::{ServiceBuilder, ServiceExt, service_fn};

/// The dependency, a tower service like any other: it sells apples, and all else jams its till.
async fn price(fruit: &'static str) -> io::Result<u32> {
    match fruit {
        "apple" => Ok(3),
        _ => Err(io::Error::other("the till is jammed")),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = toml::from_str(include_str!("policy.toml"))?;
    let policy = Policy::builder("shop", config).build()?;
    let shop = ServiceBuilder::new()
        .map_request(Call::new) // callers ask for what they always asked for
        .layer(policy.clone()) // clones share the breaker, the budget and the bulkhead
        .service(service_fn(price));

    let price = shop.clone().oneshot("apple").await?;
    println!("an apple costs {price}");
    while policy.snapshot().breaker == BreakerState::Closed {
        let _ = shop.clone().oneshot("plum").await;
    }
    // Nobody is asked any more, not even for apples.
    if let Err(error) = shop.oneshot("apple").await {
        println!("{}: {error}", error.kind().as_str());
    }
    Ok(())
}
