//! A query behind a policy. With the lab up (`make up STAGE=local`), or with any other server:
//! `cargo run -p holdfast-policy --example postgres -- postgres://holdfast:holdfast@127.0.0.1:54320`
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use holdfast_policy::{Call, Class, Policy};
use tokio_postgres::{Config, Error, NoTls};

/// Opens a session, which ends with the attempt, and asks it. (A service would keep a pool.)
async fn version(server: Config) -> Result<String, Error> {
    let (client, connection) = server.connect(NoTls).await?;
    tokio::select! {
        Err(error) = connection => Err(error),
        row = client.query_one("SHOW server_version", &[]) => row?.try_get(0),
    }
}

/// What an outcome says about the server, and whether to try again: the SQLSTATE's class tells.
fn classify(outcome: &Result<String, Error>) -> Class {
    match outcome {
        Ok(_) => Class::success(),
        Err(error) => match error.code().and_then(|state| state.code().get(..2)) {
            Some("22" | "23") => Class::neutral(), // bad data, a broken constraint: it is well
            // Cut off, out of resources, shutting down, disk trouble; or nobody there to say so.
            Some("08" | "53" | "57" | "58") | None => Class::failure().retry_if_idempotent(),
            Some(_) => Class::failure(),
        },
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server: Config = std::env::args().nth(1).ok_or("which server?")?.parse()?;
    let config = toml::from_str(include_str!("policy.toml"))?;
    let policy = Policy::builder("db", config).classify(classify).build()?;
    match policy.call(Call::new(server), version).await {
        Ok(version) => println!("answered: PostgreSQL {version}"),
        Err(error) => println!("{error}"),
    }
    Ok(())
}
