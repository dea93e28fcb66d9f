//! A running server: its folder, its port, its processes. It outlives the program that started it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::process::Command;
use tokio::time::timeout;

use super::account::{self, Account};
use super::{PostgresError, programs, session, template, url_of};
use crate::files::deleted;
use crate::logs;
use crate::process::{ProcessTree, launch};
use crate::wait::Patience;

/// Crash recovery of a busy database can take a while; a healthy start takes a tenth of a second.
const READY: Patience = Patience::new(Duration::from_secs(60), Duration::from_millis(10));
const STOPPED: Patience = Patience::new(Duration::from_secs(30), Duration::from_millis(10));
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
const LOG_LINES: usize = 5;
/// No Unix socket: its path would have to fit into 107 bytes, and nobody needs it.
const SETTINGS: [&str; 4] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=on",
    "synchronous_commit=on",
];

/// What is needed to start servers: the programs and the account to run them as.
#[derive(Debug, Clone)]
pub struct Installation {
    bin: PathBuf,
    pub(super) account: Account,
}

impl Installation {
    /// Looks on PATH and in the usual folders.
    pub async fn find() -> Result<Self, PostgresError> {
        Ok(Self {
            bin: programs::find()?,
            account: Account::choose().await?,
        })
    }

    /// A program that came with the server, such as `pgbench`.
    pub fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// One of them, to be run as the account.
    pub(super) fn command(&self, name: &str) -> Command {
        self.account.command(self.program(name))
    }

    /// Makes a folder for a server in `parent`, or, where the account cannot get there, in a temporary place.
    pub async fn folder_in(&self, parent: &Path) -> Result<PathBuf, PostgresError> {
        let reachable = self.account.can_enter(parent).await;
        let parent = if reachable {
            parent.to_owned()
        } else {
            self.account.temporary_folder().await
        };
        self.account.new_folder(&parent, "holdfast-db-")
    }
}

/// A server that is or was running; can be recorded and taken up again later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// Holds the data directory.
    pub folder: PathBuf,
    pub log: PathBuf,
    /// On the loopback address.
    pub port: u16,
    /// The postmaster and its backends. An older lab, whose stage is still up, wrote it by another name.
    #[serde(alias = "family")]
    pub tree: ProcessTree,
}

impl Server {
    /// A server that is yet to be started: on `folder`, which [`Installation::folder_in`] made.
    pub fn new(folder: PathBuf, log: PathBuf, port: u16) -> Self {
        // As the kernel will show it, links resolved.
        let home = folder.canonicalize().unwrap_or_else(|_| folder.clone());
        Self {
            tree: ProcessTree::new(home.join("data"), "postgres"),
            folder,
            log,
            port,
        }
    }

    /// Fills the folder with a fresh data directory, or with a copy of what the server on port `primary` has now, to follow it
    /// from there on; starts the server on it and waits until it answers. If it does not come up, nothing runs.
    pub async fn create(
        &mut self,
        installation: &Installation,
        primary: Option<u16>,
    ) -> Result<(), PostgresError> {
        let data = self.folder.join("data");
        match primary {
            None => template::copy_to(installation, &data).await?,
            Some(primary) => template::copy_from(installation, primary, &data).await?,
        }
        self.launch(installation)?;
        let ready = self.ready("holdfast").await;
        ready.inspect_err(|_| self.tree.kill_now())
    }

    /// Brings a dead or paused server back on its data and waits until it answers. A running one is left alone.
    pub async fn start_again(&mut self, installation: &Installation) -> Result<(), PostgresError> {
        if self.tree.is_alive() {
            self.tree.resume();
        } else {
            // Backends that outlived their postmaster would keep the new one from starting.
            self.kill().await?;
            // Where orphans are not reaped (process 1 of many containers does not), Postgres takes the zombie that holds the pid of
            // a server that is known to be dead for a living one.
            let lock = self.folder.join("data/postmaster.pid");
            deleted(fs::remove_file(&lock)).map_err(PostgresError::folder("delete", lock))?;
            self.launch(installation)?;
        }
        self.ready("holdfast").await
    }

    /// Kills every process (SIGKILL): a crash. The data stay.
    pub async fn kill(&self) -> Result<(), PostgresError> {
        self.tree.kill().await.map_err(PostgresError::Stuck)
    }

    /// Stops every process (SIGSTOP): the port stays open and nobody answers.
    pub async fn pause(&self) -> Result<(), PostgresError> {
        self.tree.pause().await.map_err(PostgresError::Stuck)
    }

    pub fn has_data(&self) -> bool {
        self.folder.join("data/PG_VERSION").is_file()
    }

    /// Deletes the data; the server must be dead.
    pub fn delete(&self) -> Result<(), PostgresError> {
        account::delete(&self.folder)
    }

    /// Starts the process on its data directory, without waiting.
    pub(super) fn launch(&mut self, installation: &Installation) -> Result<(), PostgresError> {
        let mut command = installation.command("postgres");
        command.arg("-D").arg(self.folder.join("data"));
        command.arg("-p").arg(self.port.to_string());
        command.args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
        command.kill_on_drop(false);
        let launched = launch(command, &self.folder, &self.log);
        let launched = launched.map_err(|error| self.not_ready(error.to_string()))?;
        self.tree.leader = Some(launched.identity);
        Ok(())
    }

    /// Returns once a session on `database` answers a query.
    pub async fn ready(&self, database: &str) -> Result<(), PostgresError> {
        let mut wait = READY.begin();
        while let Err(error) = self.answers(database).await {
            if !self.tree.is_alive() {
                return Err(self.not_ready("it ended".to_owned()));
            }
            if wait.is_over().await {
                return Err(self.not_ready(error));
            }
        }
        Ok(())
    }

    /// Returns once the leader has ended on its own.
    pub(super) async fn ended(&self) -> Result<(), PostgresError> {
        let mut wait = STOPPED.begin();
        while let Some(pid) = self.tree.pid() {
            if wait.is_over().await {
                return Err(PostgresError::Stuck(vec![pid]));
            }
        }
        Ok(())
    }

    /// Whether a session on `database` answers a query now; if not, why.
    pub async fn answers(&self, database: &str) -> Result<(), String> {
        let url = url_of("holdfast", self.port, database);
        let ask = async { session(&url).await?.simple_query("SELECT 1").await };
        match timeout(ANSWER_WITHIN, ask).await {
            Ok(answer) => answer.map(drop).map_err(|error| error.to_string()),
            Err(_) => Err("it accepts, but does not answer".to_owned()),
        }
    }

    fn not_ready(&self, reason: String) -> PostgresError {
        let log = logs::tail(&self.log, LOG_LINES).join(" | ");
        if log.contains("Address already in use") {
            return PostgresError::PortTaken(self.port);
        }
        PostgresError::NotReady { reason, log }
    }
}
