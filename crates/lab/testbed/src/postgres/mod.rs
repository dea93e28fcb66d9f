//! A real Postgres to throw away: found on this machine, started in a folder of its own, killed, paused, deleted.
//!
//! Invariants: it listens on the loopback address only; `fsync` and `synchronous_commit` stay on; it never runs as
//! root; user, password and database are `holdfast`, and the schema is the one of `db/init.sql`; the API has a role of its own.

mod account;
mod cluster;
mod error;
mod install;
mod manifest;
mod patroni;
mod programs;
mod reap;
mod server;
mod standby;
mod template;

pub use cluster::Cluster;
pub use error::PostgresError;
pub use patroni::Patroni;
pub use reap::end_stale;
pub use server::{Installation, Server};
pub use template::execute;

use tokio_postgres::{Client, NoTls};

pub const INIT_SQL: &str = include_str!("../../../../../db/init.sql");
/// The API's own role, with the rights that it needs; may run again.
pub const ROLE_SQL: &str = concat!(
    include_str!("../../../../../db/stage-login.sql"),
    include_str!("../../../../../db/rights.sql")
);

/// Where a cluster on `port` is reached by its superuser, who owns the tables.
pub fn url(port: u16) -> String {
    url_of("holdfast", port, "holdfast")
}

/// Where the API reaches a cluster on `port`: by its own role.
pub fn api_url(port: u16) -> String {
    url_of("holdfast_api", port, "holdfast")
}

fn url_of(role: &str, port: u16, database: &str) -> String {
    format!("postgres://{role}:holdfast@127.0.0.1:{port}/{database}")
}

/// A session of one's own, which ends with its client.
pub async fn session(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}
