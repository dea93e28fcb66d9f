//! A running server: its folder, its port, its processes. It outlives the program that started it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::NoTls;

use super::account::Account;
use super::programs::Programs;
use super::{PostgresError, folder, template};
use crate::logs;
use crate::process::{Identity, ProcessTree};

const POLL: Duration = Duration::from_millis(10);
/// Crash recovery of a busy database can take a while; a healthy start takes a tenth of a second.
const READY_WITHIN: Duration = Duration::from_secs(60);
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
const STOPPED_WITHIN: Duration = Duration::from_secs(30);
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
    pub(super) programs: Programs,
    pub(super) account: Account,
}

impl Installation {
    /// Looks on PATH and in the usual folders.
    pub async fn find() -> Result<Self, PostgresError> {
        Ok(Self {
            programs: Programs::find()?,
            account: Account::choose().await?,
        })
    }

    /// A program that came with the server, such as `pgbench`.
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.path(name)
    }

    /// Makes a folder for a server in `parent`, or, where the account cannot get there, in a temporary place.
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// Holds the data directory.
    pub folder: PathBuf,
    /// Its log.
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
        let home = folder
            .canonicalize()
            .unwrap_or_else(|_| folder.clone())
            .join("data");
        let tree = ProcessTree {
            leader: None,
            home,
            program: "postgres".to_owned(),
        };
        Self {
            folder,
            log,
            port,
            tree,
        }
    }

    /// Fills the folder with a fresh data directory, starts the server on it and waits until it answers.
    pub async fn create(&mut self, installation: &Installation) -> Result<(), PostgresError> {
        template::copy_to(installation, &self.folder.join("data")).await?;
        self.begin(installation).await
    }

    /// Fills the folder with a copy of what the server on port `primary` has now, and follows it from there on.
    pub(super) async fn create_standby(
        &mut self,
        installation: &Installation,
        primary: u16,
    ) -> Result<(), PostgresError> {
        template::copy_from(installation, primary, &self.folder.join("data")).await?;
        self.begin(installation).await
    }

    async fn begin(&mut self, installation: &Installation) -> Result<(), PostgresError> {
        self.launch(installation)?;
        self.ready("holdfast")
            .await
            .inspect_err(|_| self.tree.kill_now())
    }

    /// Brings a dead or paused server back on its data and waits until it answers. A running one is left alone.
    pub async fn start_again(&mut self, installation: &Installation) -> Result<(), PostgresError> {
        if self.tree.is_alive() {
            self.tree.resume();
        } else {
            // Backends that outlived their postmaster would keep the new one from starting.
            self.kill().await?;
            self.remove_lock()?;
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

    /// Whether its data directory is there.
    pub fn has_data(&self) -> bool {
        self.folder.join("data/PG_VERSION").is_file()
    }

    /// Deletes the data; the server must be dead.
    pub fn delete(&self) -> Result<(), PostgresError> {
        folder::delete(&self.folder)
    }

    /// Starts the process on its data directory, without waiting.
    pub(super) fn launch(&mut self, installation: &Installation) -> Result<(), PostgresError> {
        let cannot_log = || PostgresError::folder("write", &self.log);
        let log = File::options()
            .create(true)
            .append(true)
            .open(&self.log)
            .map_err(cannot_log())?;
        let errors = log.try_clone().map_err(cannot_log())?;
        let mut command = installation
            .account
            .command(installation.programs.path("postgres"));
        command
            .arg("-D")
            .arg(self.folder.join("data"))
            .arg("-p")
            .arg(self.port.to_string());
        for setting in SETTINGS {
            command.arg("-c").arg(setting);
        }
        command
            .current_dir(&self.folder)
            .stdout(log)
            .stderr(errors)
            .process_group(0)
            .kill_on_drop(false);
        // Dropping the handle leaves the process running, and has it reaped when it ends.
        let child = command
            .spawn()
            .map_err(|error| self.not_ready(error.to_string()))?;
        self.tree.leader = child.id().and_then(Identity::of);
        Ok(())
    }

    /// Deletes the lock file of a server that is known to be dead. Where orphans are not reaped (process 1 of many
    /// containers does not), Postgres takes the zombie that holds its pid for a living server.
    fn remove_lock(&self) -> Result<(), PostgresError> {
        folder::delete_file(&self.folder.join("data/postmaster.pid"))
    }

    /// Returns once a session on `database` answers a query.
    pub async fn ready(&self, database: &str) -> Result<(), PostgresError> {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            let Err(error) = self.answers(database).await else {
                return Ok(());
            };
            let ended = !self.tree.is_alive();
            if ended || Instant::now() > deadline {
                return Err(self.not_ready(if ended { "it ended".to_owned() } else { error }));
            }
            sleep(POLL).await;
        }
    }

    /// Returns once the leader has ended on its own.
    pub(super) async fn ended(&self) -> Result<(), PostgresError> {
        let deadline = Instant::now() + STOPPED_WITHIN;
        while let Some(pid) = self.tree.pid() {
            if Instant::now() > deadline {
                return Err(PostgresError::Stuck(vec![pid]));
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    /// Whether a session on `database` answers a query now; if not, why.
    pub async fn answers(&self, database: &str) -> Result<(), String> {
        let ask = async {
            let (client, connection) = config(self.port, database).connect(NoTls).await?;
            let session = tokio::spawn(connection);
            let answer = client.simple_query("SELECT 1").await.map(|_| ());
            session.abort();
            answer
        };
        match timeout(ANSWER_WITHIN, ask).await {
            Ok(answer) => answer.map_err(|error| error.to_string()),
            Err(_) => Err("it accepts, but does not answer".to_owned()),
        }
    }

    fn not_ready(&self, reason: String) -> PostgresError {
        let log = logs::tail(&self.log, LOG_LINES).join(" | ");
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
