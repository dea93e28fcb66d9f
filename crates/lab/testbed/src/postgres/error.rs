//! What can go wrong with a throw-away Postgres, each with its cure.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::files::FileError;

#[derive(Debug, Error)]
pub enum PostgresError {
    #[error(
        "Postgres is not installed: no initdb on PATH nor in the usual folders; install it: {0}"
    )]
    Missing(&'static str),
    #[error(
        "{0} is not installed: a replicated Postgres needs Patroni and etcd; install them, on Debian: sudo apt-get install -y --no-upgrade patroni etcd-server python3-etcd"
    )]
    NoPatroni(&'static str),
    #[error(
        "Postgres refuses to run as root, and there is neither a user `postgres` nor `nobody`; add one: useradd --system postgres"
    )]
    NoAccount,
    #[error("{0}; free some space there or choose another place with TMPDIR")]
    Folder(FileError),
    #[error("{program} failed: {output}; run it by hand to see more")]
    Program { program: String, output: String },
    #[error("port {0} is taken; stop what listens there or choose another port")]
    PortTaken(u16),
    #[error("Postgres did not become ready: {reason}; its last words: {log}")]
    NotReady { reason: String, log: String },
    #[error("cannot load db/init.sql: {0}; mend the file")]
    Schema(#[source] tokio_postgres::Error),
    #[error("processes {0:?} do not react to signals; look at them with ps")]
    Stuck(Vec<i32>),
}

impl PostgresError {
    pub(super) fn folder(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let at = FileError::at(doing, path);
        move |source| Self::Folder(at(source))
    }
}
