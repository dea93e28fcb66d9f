//! The process of somebody else's API, as often as it is started; it ends with this value, whatever it started itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use holdfast_checker::trial::Observation;
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::Instant;

use crate::error::SystemError;
use crate::ports;
use crate::process::{self, Launched, ProcessTree};
use crate::wait::Patience;

/// An interpreter with a web framework takes a second or two; a build by `cargo run` belongs before the trial.
const STARTS: Patience = Patience::new(Duration::from_secs(30), POLL);
/// A container engine gives ten; calls of an experiment are over in less than five.
const ENDS: Patience = Patience::new(Duration::from_secs(5), POLL);
const POLL: Duration = Duration::from_millis(20);
const LOG_LINES: usize = 10;

/// The table as a stranger may use it: `INSERT INTO requests DEFAULT VALUES RETURNING id` and
/// `UPDATE requests SET status = 'done' WHERE id = …` are enough.
pub(super) const LENIENT_TABLE: &str = "
    ALTER TABLE requests ALTER id SET DEFAULT gen_random_uuid(), ALTER origin SET DEFAULT 'resilient',
        DROP CONSTRAINT requests_check;";

/// An API that is not ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contender {
    /// What it is called in tables and folders.
    pub name: String,
    /// What starts it, for a shell.
    pub command: String,
    /// The folder in which the command is started: the caller's.
    pub folder: PathBuf,
    /// The longest a call may take by its author's word; none: it has given none.
    pub bound: Option<Duration>,
}

#[derive(Debug)]
pub(super) struct ContenderProcess {
    contender: Contender,
    variables: BTreeMap<String, String>,
    tree: ProcessTree,
    log: PathBuf,
    port: u16,
}

impl ContenderProcess {
    /// Starts it and waits until its port accepts.
    pub(super) async fn start_in(
        folder: &Path,
        contender: &Contender,
        mut variables: BTreeMap<String, String>,
    ) -> Result<Self, SystemError> {
        let home = folder.join("api");
        let data = home.join("data");
        fs::create_dir_all(&data).map_err(SystemError::file("make", &data))?;
        let home = home
            .canonicalize()
            .map_err(SystemError::file("find", &home))?;
        let port = ports::free().map_err(SystemError::file("find", "a free port"))?;
        let text = |path: &Path| path.to_string_lossy().into_owned();
        variables.extend([
            ("PORT".to_owned(), port.to_string()),
            ("DATA_DIR".to_owned(), text(&home.join("data"))),
            (process::MARK.to_owned(), text(&home)),
        ]);
        let mut process = Self {
            contender: contender.clone(),
            variables,
            tree: ProcessTree {
                leader: None,
                home,
                program: "sh".to_owned(),
            },
            log: folder.join("api.log"),
            port,
        };
        process.start().await?;
        Ok(process)
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Starts it, unless it runs, and waits until its port accepts.
    pub(super) async fn start(&mut self) -> Result<(), SystemError> {
        if self.tree.is_alive() {
            return Ok(());
        }
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", &self.contender.command])
            .envs(&self.variables);
        let mut launched = process::launch(command, &self.contender.folder, &self.log)?;
        self.tree.leader = Some(launched.identity.clone());
        let mut wait = STARTS.begin();
        while TcpStream::connect(ports::loopback(self.port))
            .await
            .is_err()
        {
            if let Some(status) = launched.ended() {
                return Err(self.failed(&launched, format!("ended ({status}) before it listened")));
            }
            if wait.is_over().await {
                let seconds = STARTS.seconds();
                let problem = format!("did not listen on 127.0.0.1:$PORT within {seconds} s");
                return Err(self.failed(&launched, problem));
            }
        }
        Ok(())
    }

    /// SIGTERM to its group, and time to end; what is left is still there afterwards.
    pub(super) async fn stop(&self) -> Observation {
        self.tree.resume();
        self.tree.ask_to_end();
        let (start, mut wait) = (Instant::now(), ENDS.begin());
        while !self.tree.is_gone() && !wait.is_over().await {}
        let seconds = ENDS.seconds();
        let seen = match (self.tree.is_gone(), self.tree.is_alive()) {
            (true, _) => format!("it ended after {} ms", start.elapsed().as_millis()),
            (false, true) => {
                format!("it did not end within {seconds} s of SIGTERM, and was killed")
            }
            (false, false) => {
                let pids = self.tree.pids();
                format!("it left processes {pids:?} behind, which were killed")
            }
        };
        Observation {
            holds: self.tree.is_gone(),
            seen,
        }
    }

    /// Kills all of it (SIGKILL).
    pub(super) async fn kill(&self) -> Result<(), SystemError> {
        self.tree.kill().await.map_err(stuck)
    }

    pub(super) async fn pause(&self) -> Result<(), SystemError> {
        self.tree.pause().await.map_err(stuck)
    }

    pub(super) fn resume(&self) {
        self.tree.resume();
    }

    fn failed(&self, launched: &Launched, problem: String) -> SystemError {
        let problem = format!("({}) {problem}", self.contender.name);
        SystemError::Contender(problem, launched.said(LOG_LINES))
    }
}

impl Drop for ContenderProcess {
    fn drop(&mut self) {
        self.tree.kill_now();
    }
}

fn stuck(pids: Vec<i32>) -> SystemError {
    SystemError::Stuck {
        service: crate::stage::Service::Api,
        pids,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn started(folder: &Path, command: &str) -> Result<ContenderProcess, SystemError> {
        let contender = Contender {
            name: "mine".to_owned(),
            command: command.to_owned(),
            folder: folder.to_owned(),
            bound: None,
        };
        ContenderProcess::start_in(folder, &contender, BTreeMap::new()).await
    }

    #[tokio::test]
    async fn what_ends_before_it_listens_is_told_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let error = started(folder.path(), "echo no such module; exit 3").await;
        let error = error.unwrap_err();
        assert!(
            error.to_string().contains("ended (exit status: 3)"),
            "{error}"
        );
        assert_eq!(error.context(), ["no such module"]);
    }

    #[tokio::test]
    async fn killed_it_is_gone_and_started_again_it_listens_on_the_same_port() {
        let folder = tempfile::tempdir().unwrap();
        let command = "exec python3 -m http.server --bind 127.0.0.1 $PORT";
        let mut process = started(folder.path(), command).await.unwrap();
        let address = ports::loopback(process.port());
        process.kill().await.unwrap();
        assert!(TcpStream::connect(address).await.is_err());
        process.start().await.unwrap();
        assert!(TcpStream::connect(address).await.is_ok());
        let ending = process.stop().await;
        assert!(ending.holds, "{}", ending.seen);
    }

    #[tokio::test]
    async fn what_hangs_at_its_end_or_leaves_processes_is_told_and_killed() {
        for (command, seen) in [
            (
                "trap '' TERM; exec python3 -m http.server $PORT",
                "did not end within 5 s",
            ),
            (
                "setsid sleep 60 & exec python3 -m http.server $PORT",
                "left processes [",
            ),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let process = started(folder.path(), command).await.unwrap();
            let ending = process.stop().await;
            assert!(
                !ending.holds && ending.seen.contains(seen),
                "{}",
                ending.seen
            );
            process.kill().await.unwrap();
            assert!(process.tree.is_gone());
        }
    }
}
