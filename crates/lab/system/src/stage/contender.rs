//! Somebody else's API in the place of ours: how it is started, known to be up, and asked to end.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use holdfast_checker::trial::Observation;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::{Service, ServiceProcess};
use crate::error::SystemError;
use crate::ports;
use crate::process::{self, Launched};
use crate::wait::Patience;

/// An interpreter with a web framework takes a second or two; a build by `cargo run` belongs before the trial.
const STARTS: Patience = Patience::new(Duration::from_secs(30), POLL);
/// A container engine gives ten; calls of an experiment are over in less than five.
const ENDS: Patience = Patience::new(Duration::from_secs(5), POLL);
const POLL: Duration = Duration::from_millis(20);
const LOG_LINES: usize = 10;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contender {
    /// What it is called in tables and folders.
    pub name: String,
    pub command: String,
    /// The folder in which the command is started: the caller's.
    pub folder: PathBuf,
    /// The longest a call may take by its author's word; none: it has given none.
    pub bound: Option<Duration>,
}

impl ServiceProcess {
    /// Starts it and waits until its port accepts. It sees these variables beside the caller's own.
    pub async fn start_contender(
        contender: &Contender,
        folder: &Path,
        variables: BTreeMap<String, String>,
    ) -> Result<Self, SystemError> {
        let shell = PathBuf::from("/bin/sh");
        let program = (shell, &["-c", contender.command.as_str()][..]);
        let mut process = Self::new(Service::Api, program, (folder, "api"), variables)?;
        let data = process.tree.home.join("data");
        fs::create_dir_all(&data).map_err(SystemError::file("make", &data))?;
        let text = |path: &Path| path.to_string_lossy().into_owned();
        process.variables.extend([
            ("PORT".to_owned(), process.port.to_string()),
            ("DATA_DIR".to_owned(), text(&data)),
            (process::MARK.to_owned(), text(&process.tree.home)),
        ]);
        process.contender = Some(contender.clone());
        process.start().await?;
        Ok(process)
    }

    /// SIGTERM to its group, and time to end; what is left is still there afterwards.
    pub async fn stop(&self) -> Observation {
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
        let holds = self.tree.is_gone();
        Observation { holds, seen }
    }
}

impl Contender {
    /// Returns once its port accepts; at once, if it was not started just now.
    pub(super) async fn listens(
        &self,
        port: u16,
        launched: Option<Launched>,
    ) -> Result<(), SystemError> {
        let Some(mut launched) = launched else {
            return Ok(());
        };
        let mut wait = STARTS.begin();
        while TcpStream::connect(ports::loopback(port)).await.is_err() {
            let problem = if let Some(status) = launched.ended() {
                format!("ended ({status}) before it listened")
            } else if wait.is_over().await {
                let seconds = STARTS.seconds();
                format!("did not listen on 127.0.0.1:$PORT within {seconds} s")
            } else {
                continue;
            };
            let problem = format!("({}) {problem}", self.name);
            return Err(SystemError::Contender(problem, launched.said(LOG_LINES)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn started(folder: &Path, command: &str) -> Result<ServiceProcess, SystemError> {
        let contender = Contender {
            name: "mine".to_owned(),
            command: command.to_owned(),
            folder: folder.to_owned(),
            bound: None,
        };
        ServiceProcess::start_contender(&contender, folder, BTreeMap::new()).await
    }

    #[tokio::test]
    async fn what_ends_before_it_listens_is_told_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let error = started(folder.path(), "echo no such module; exit 3").await;
        let error = error.unwrap_err();
        let told = error.to_string();
        assert!(told.contains("ended (exit status: 3)"), "{told}");
        assert_eq!(error.context(), ["no such module"]);
    }

    #[tokio::test]
    async fn killed_it_is_gone_and_started_again_it_listens_on_the_same_port() {
        let folder = tempfile::tempdir().unwrap();
        let command = "exec python3 -m http.server --bind 127.0.0.1 $PORT";
        let mut process = started(folder.path(), command).await.unwrap();
        let address = ports::loopback(process.port);
        process.kill().await.unwrap();
        assert!(TcpStream::connect(address).await.is_err());
        process.start().await.unwrap();
        assert!(TcpStream::connect(address).await.is_ok());
        let ending = process.stop().await;
        assert!(ending.holds, "{}", ending.seen);
    }

    #[tokio::test]
    async fn what_hangs_at_its_end_or_leaves_processes_is_told_and_killed() {
        for (first, seen) in [
            ("trap '' TERM;", "did not end within 5 s"),
            ("setsid sleep 60 &", "left processes ["),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let command = format!("{first} exec python3 -m http.server $PORT");
            let process = started(folder.path(), &command).await.unwrap();
            let ending = process.stop().await;
            let told = ending.seen;
            assert!(!ending.holds && told.contains(seen), "{told}");
            process.kill().await.unwrap();
            assert!(process.tree.is_gone());
        }
    }
}
