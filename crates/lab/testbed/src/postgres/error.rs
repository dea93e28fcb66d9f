//! What can go wrong with a throw-away Postgres, each with its cure.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::files::FileError;

/// Why there is no cluster.
#[derive(Debug, Error)]
pub enum PostgresError {
    /// No server programs were found.
    #[error(
        "Postgres is not installed: no initdb on PATH nor in the usual folders; install it: {help}"
    )]
    Missing {
        /// The command for this system.
        help: &'static str,
    },
    /// What replicates it is not there.
    #[error(
        "{0} is not installed: a replicated Postgres needs Patroni and etcd; install them, on Debian: sudo apt-get install -y --no-upgrade patroni etcd-server python3-etcd"
    )]
    NoPatroni(&'static str),
    /// Root has nobody to run it as.
    #[error(
        "Postgres refuses to run as root, and there is neither a user `postgres` nor `nobody`; add one: useradd --system postgres"
    )]
    NoAccount,
    /// A folder or a file could not be made.
    #[error("{0}; free some space there or choose another place with TMPDIR")]
    Folder(FileError),
    /// A helper program failed.
    #[error("{program} failed: {output}; run it by hand to see more")]
    Program {
        /// Its name.
        program: String,
        /// The last it said.
        output: String,
    },
    /// The port is somebody else's.
    #[error("port {port} is taken; stop what listens there or choose another port")]
    PortTaken {
        /// The port.
        port: u16,
    },
    /// The server ended, or did not accept a session in time.
    #[error("Postgres did not become ready: {reason}; its last words: {log}")]
    NotReady {
        /// What was seen from outside.
        reason: String,
        /// The end of its log.
        log: String,
    },
    /// The schema could not be loaded.
    #[error("cannot load db/init.sql: {0}; mend the file")]
    Schema(#[source] tokio_postgres::Error),
    /// Signals did not help.
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
