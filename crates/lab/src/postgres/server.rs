//! A running server: its folder, its port, its processes. It outlives the program that started it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::NoTls;

use super::account::Account;
use super::programs::Programs;
use super::{PostgresError, folder, template};
use crate::process::{Family, Identity};

const POLL: Duration = Duration::from_millis(10);
/// Crash recovery of a busy database can take a while; a healthy start takes a tenth of a second.
const READY_WITHIN: Duration = Duration::from_secs(60);
const STOPPED_WITHIN: Duration = Duration::from_secs(30);
const LOG_LINES: usize = 5;

/// What is needed to start servers: the programs and the account to run them as.
#[derive(Debug, Clone)]
pub struct Installation {
    pub(super) programs: Programs,
    pub(super) account: Account,
}

impl Installation {
    /// Looks on PATH and in the usual folders.
    ///
    /// # Errors
    /// [`PostgresError::Missing`] with the command that installs it; [`PostgresError::NoAccount`].
    pub async fn find() -> Result<Self, PostgresError> {
        Ok(Self {
            programs: Programs::find()?,
            account: Account::choose().await?,
        })
    }

    /// A program that came with the server, such as `pgbench`.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.path(name)
    }

    /// Makes a folder for a server in `parent`, or, where the account cannot get there, in a temporary place.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub async fn folder_in(&self, parent: &Path) -> Result<PathBuf, PostgresError> {
        let reachable = self.account.can_enter(parent).await;
        let parent = if reachable {
            parent.to_owned()
        } else {
            folder::temporary(&self.account).await
        };
        folder::create(&self.account, &parent, "holdfast-db-")
    }
}

/// A server that is or was running; can be recorded and taken up again later.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Server {
    /// Holds the data directory and the log.
    pub folder: PathBuf,
    /// On the loopback address.
    pub port: u16,
    /// The postmaster and its backends.
    pub family: Family,
}

impl Server {
    /// Fills `folder` with a fresh data directory, starts a server on it and waits until it answers.
    ///
    /// # Errors
    /// When the directory cannot be made or the server does not come up; the folder is left to the caller.
    pub async fn create(
        installation: &Installation,
        folder: &Path,
        port: u16,
    ) -> Result<Self, PostgresError> {
        template::copy_to(installation, &folder.join("data")).await?;
        let server = Self::launch(installation, folder, port)?;
        match server.ready("holdfast").await {
            Ok(()) => Ok(server),
            Err(error) => {
                server.family.kill_now();
                Err(error)
            }
        }
    }

    /// Brings a dead or paused server back on its data and waits until it answers. A running one is left alone.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn start_again(&mut self, installation: &Installation) -> Result<(), PostgresError> {
        if self.family.leader.is_alive() {
            self.family.resume();
        } else {
            // Backends that outlived their postmaster would keep the new one from starting.
            self.kill().await?;
            *self = Self::launch(installation, &self.folder, self.port)?;
        }
        self.ready("holdfast").await
    }

    /// Kills every process (SIGKILL): a crash. The data stay.
    ///
    /// # Errors
    /// [`PostgresError::Stuck`].
    pub async fn kill(&self) -> Result<(), PostgresError> {
        self.family.kill().await.map_err(PostgresError::Stuck)
    }

    /// Stops every process (SIGSTOP): the port stays open and nobody answers.
    ///
    /// # Errors
    /// [`PostgresError::Stuck`].
    pub async fn pause(&self) -> Result<(), PostgresError> {
        self.family.pause().await.map_err(PostgresError::Stuck)
    }

    /// Deletes the data; the server must be dead.
    ///
    /// # Errors
    /// When something in the folder cannot be deleted.
    pub fn delete(&self) -> Result<(), PostgresError> {
        folder::delete(&self.folder)
    }

    /// Where its log is.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// Starts the process on an existing data directory, without waiting.
    pub(super) fn launch(
        installation: &Installation,
        folder: &Path,
        port: u16,
    ) -> Result<Self, PostgresError> {
        let path = folder.join("log");
        let cannot_log = || PostgresError::folder("write", &path);
        let log = File::options()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(cannot_log())?;
        let errors = log.try_clone().map_err(cannot_log())?;
        let program = installation.programs.path("postgres");
        let mut command = installation.account.command(&program);
        command
            .arg("-D")
            .arg(folder.join("data"))
            .arg("-p")
            .arg(port.to_string());
        for setting in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=on",
            "synchronous_commit=on",
        ] {
            command.arg("-c").arg(setting);
        }
        command
            .current_dir(folder)
            .stdout(log)
            .stderr(errors)
            .process_group(0);
        let died = |reason: &dyn ToString| PostgresError::NotReady {
            reason: reason.to_string(),
            log: tail(&path),
        };
        // Dropping the handle leaves the process running, and has it reaped when it ends.
        let child = command.spawn().map_err(|error| died(&error))?;
        let leader = child
            .id()
            .and_then(Identity::of)
            .ok_or_else(|| died(&"it ended at once"))?;
        let home = folder.join("data").canonicalize().ok();
        Ok(Self {
            folder: folder.to_owned(),
            port,
            family: Family { leader, home },
        })
    }

    /// Returns once a session on `database` answers a query.
    pub(super) async fn ready(&self, database: &str) -> Result<(), PostgresError> {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            let Err(error) = self.answers(database).await else {
                return Ok(());
            };
            let ended = !self.family.leader.is_alive();
            if ended || Instant::now() > deadline {
                return Err(self.not_ready(if ended { "it ended".to_owned() } else { error }));
            }
            sleep(POLL).await;
        }
    }

    /// Returns once the leader has ended on its own.
    pub(super) async fn ended(&self) -> Result<(), PostgresError> {
        let deadline = Instant::now() + STOPPED_WITHIN;
        while self.family.leader.is_alive() {
            if Instant::now() > deadline {
                return Err(PostgresError::Stuck(vec![self.family.leader.pid()]));
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    async fn answers(&self, database: &str) -> Result<(), String> {
        let ask = async {
            let (client, connection) = config(self.port, database).connect(NoTls).await?;
            let session = tokio::spawn(connection);
            let answer = client.simple_query("SELECT 1").await.map(|_| ());
            session.abort();
            answer
        };
        match timeout(Duration::from_secs(2), ask).await {
            Ok(answer) => answer.map_err(|error| error.to_string()),
            Err(_) => Err("it accepts, but does not answer".to_owned()),
        }
    }

    fn not_ready(&self, reason: String) -> PostgresError {
        let log = tail(&self.log());
        if log.contains("Address already in use") {
            return PostgresError::PortTaken { port: self.port };
        }
        PostgresError::NotReady { reason, log }
    }
}

/// How a session is opened.
pub(super) fn config(port: u16, database: &str) -> tokio_postgres::Config {
    let mut config = tokio_postgres::Config::new();
    config
        .host("127.0.0.1")
        .port(port)
        .user("holdfast")
        .password("holdfast")
        .dbname(database);
    config
}

/// The last lines of a log, on one line.
fn tail(path: &Path) -> String {
    let text = fs::read(path)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].join(" | ")
}
