//! Asking Postgres of whichever stage, as its own clients would.

use std::error::Error;
use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::SimpleQueryMessage;

use crate::error::SystemError;
use crate::postgres;
use crate::stage::{Compose, Stage};

const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// Reads the table itself: an index that had lost an entry, or kept a duplicate out, would not be found wrong by itself.
const SETTINGS: &str =
    "SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off;
    SET statement_timeout = '20s';";

#[derive(Debug, Clone)]
pub enum Database {
    /// At this URL, with whichever of its hosts takes writes.
    Url(String),
    /// In a container, published nowhere.
    Compose(Compose),
}

impl Database {
    pub fn of(stage: &Stage) -> Result<Self, SystemError> {
        Ok(match stage {
            Stage::Local(local) => Self::on(local.ports()?.db),
            Stage::Compose(compose) => Self::Compose(compose.clone()),
            Stage::Swarm(swarm) => Self::on(swarm.nodes.ports.db),
        })
    }

    /// On a loopback port.
    pub fn on(port: u16) -> Self {
        Self::Url(postgres::url(port))
    }

    /// Why rows cannot be read as what was asked for.
    pub fn none_of_ours() -> SystemError {
        SystemError::Database("it answered with rows that are none of ours".to_owned())
    }

    /// The rows of `sql`, each field as text.
    pub async fn query(&self, sql: &str) -> Result<Vec<Vec<String>>, SystemError> {
        let sql = format!("{SETTINGS}\n{sql}");
        match self {
            Self::Compose(compose) => {
                let told = compose.psql(&sql).await;
                let told = told.map_err(|error| SystemError::Database(error.to_string()))?;
                let fields = |line: &str| line.split('\t').map(str::to_owned).collect();
                Ok(told.lines().map(fields).collect())
            }
            Self::Url(url) => match timeout(ANSWER_WITHIN, ask(url, &sql)).await {
                Ok(answer) => Ok(answer?),
                Err(_) => Err(SystemError::Database(
                    "it accepts, but does not answer".to_owned(),
                )),
            },
        }
    }
}

async fn ask(url: &str, sql: &str) -> Result<Vec<Vec<String>>, tokio_postgres::Error> {
    let answer = postgres::session(url).await?.simple_query(sql).await;
    let fields = |message| match message {
        SimpleQueryMessage::Row(row) => {
            let field = |index| row.get(index).unwrap_or_default().to_owned();
            Some((0..row.len()).map(field).collect())
        }
        _ => None,
    };
    Ok(answer?.into_iter().filter_map(fields).collect())
}

/// With its cause, which its own text leaves out.
impl From<tokio_postgres::Error> for SystemError {
    fn from(error: tokio_postgres::Error) -> Self {
        let cause = error.source();
        let told = cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"));
        Self::Database(told)
    }
}
