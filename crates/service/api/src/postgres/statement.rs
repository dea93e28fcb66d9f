//! Statements, prepared once per session, or, where a pooler gives the session to somebody else after each transaction,
//! sent whole each time.
//!
//! The store need not know which: the methods here stand before those of the client. Sent whole, a statement goes with the
//! types of its parameters, which are asked for once per process, in a transaction that keeps the session to ourselves.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use deadpool_postgres::ClientWrapper;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Row, Statement};

use super::session::Session;

type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

/// A statement that a session can run.
pub(crate) enum Prepared {
    /// The session knows it by name.
    Named(Statement),
    /// It is sent whole.
    Whole {
        /// Its text.
        text: String,
        /// Its parameters'.
        types: Arc<[Type]>,
    },
}

/// The types of the parameters of each statement, by its text.
#[derive(Default)]
pub(super) struct ParameterTypes(Mutex<HashMap<String, Arc<[Type]>>>);

impl ParameterTypes {
    async fn of(&self, client: &Client, text: &str) -> Result<Arc<[Type]>, Error> {
        if let Some(types) = self.known(text) {
            return Ok(types);
        }
        client.batch_execute("BEGIN").await?;
        // Dropped at once, so that it is closed before the session goes to somebody else.
        let types = client
            .prepare(text)
            .await
            .map(|statement| statement.params().into());
        client.batch_execute("ROLLBACK").await?;
        let types: Arc<[Type]> = types?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(text.to_owned(), types.clone());
        Ok(types)
    }

    fn known(&self, text: &str) -> Option<Arc<[Type]>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(text).cloned()
    }
}

impl Session {
    /// The statement `text`, prepared if it was not yet.
    ///
    /// # Errors
    /// The server's or the connection's.
    pub(crate) async fn prepare_cached(&self, text: &str) -> Result<Prepared, Error> {
        let client: &ClientWrapper = self;
        match self.parameter_types() {
            None => Ok(Prepared::Named(client.prepare_cached(text).await?)),
            Some(known) => Ok(Prepared::Whole {
                text: text.to_owned(),
                types: known.of(client, text).await?,
            }),
        }
    }

    /// Runs it and returns its rows.
    ///
    /// # Errors
    /// The server's or the connection's.
    pub(crate) async fn query(
        &self,
        statement: &Prepared,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, Error> {
        let client: &Client = self;
        match statement {
            Prepared::Named(statement) => client.query(statement, parameters).await,
            Prepared::Whole { text, types } => {
                client.query_typed(text, &typed(parameters, types)).await
            }
        }
    }

    /// As [`Session::query`], for one row.
    ///
    /// # Errors
    /// Also when there is none or more than one.
    pub(crate) async fn query_one(
        &self,
        statement: &Prepared,
        parameters: Parameters<'_>,
    ) -> Result<Row, Error> {
        let client: &Client = self;
        match statement {
            Prepared::Named(statement) => client.query_one(statement, parameters).await,
            Prepared::Whole { text, types } => {
                client
                    .query_typed_one(text, &typed(parameters, types))
                    .await
            }
        }
    }

    /// As [`Session::query`], for one row at most.
    ///
    /// # Errors
    /// Also when there is more than one.
    pub(crate) async fn query_opt(
        &self,
        statement: &Prepared,
        parameters: Parameters<'_>,
    ) -> Result<Option<Row>, Error> {
        let client: &Client = self;
        match statement {
            Prepared::Named(statement) => client.query_opt(statement, parameters).await,
            Prepared::Whole { text, types } => {
                client
                    .query_typed_opt(text, &typed(parameters, types))
                    .await
            }
        }
    }

    /// Runs it and returns how many rows it touched.
    ///
    /// # Errors
    /// The server's or the connection's.
    pub(crate) async fn execute(
        &self,
        statement: &Prepared,
        parameters: Parameters<'_>,
    ) -> Result<u64, Error> {
        let client: &Client = self;
        match statement {
            Prepared::Named(statement) => client.execute(statement, parameters).await,
            Prepared::Whole { text, types } => {
                client.execute_typed(text, &typed(parameters, types)).await
            }
        }
    }
}

fn typed<'a>(parameters: Parameters<'a>, types: &[Type]) -> Vec<(&'a (dyn ToSql + Sync), Type)> {
    parameters
        .iter()
        .copied()
        .zip(types.iter().cloned())
        .collect()
}
