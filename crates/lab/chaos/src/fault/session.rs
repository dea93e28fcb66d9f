//! Somebody else's session in Postgres. It ends with this value, and with the process.

use tokio::task::AbortHandle;
use tokio_postgres::{Client, NoTls};

use crate::postgres;

/// An open connection of nobody the API knows.
#[derive(Debug)]
pub(super) struct Session {
    client: Client,
    connection: AbortHandle,
}

impl Session {
    /// At Postgres itself, past any wire.
    pub(super) async fn open(port: u16) -> Result<Self, tokio_postgres::Error> {
        let (client, connection) = tokio_postgres::connect(&postgres::url(port), NoTls).await?;
        Ok(Self {
            client,
            connection: tokio::spawn(connection).abort_handle(),
        })
    }

    /// Runs statements, and forgets what they return.
    pub(super) async fn run(&self, sql: &str) -> Result<(), tokio_postgres::Error> {
        self.client.batch_execute(sql).await
    }

    /// How many rows a query returns.
    pub(super) async fn rows(&self, sql: &str) -> Result<usize, tokio_postgres::Error> {
        Ok(self.client.query(sql, &[]).await?.len())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.connection.abort();
    }
}
