//! One service's process, as often as it is started: how, until it is ready, and why it never is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

use super::{AdminClient, Contender, Service, port};
use crate::error::SystemError;
use crate::process::{self, Launched, ProcessTree};
use crate::settings::Settings;
use crate::wait::Patience;
use crate::{logs, ports};

const READY: Patience = Patience::new(Duration::from_secs(20), Duration::from_millis(10));
const LOG_LINES: usize = 10;
/// The exit code by which a service refuses its configuration.
pub(super) const BAD_CONFIGURATION: i32 = 64;

/// A worker or an API. Dropping it kills every process of it, unless it is a stage's.
#[derive(Debug)]
pub struct ServiceProcess {
    pub(super) service: Service,
    pub(super) binary: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) variables: BTreeMap<String, String>,
    pub(super) tree: ProcessTree,
    pub(super) log: PathBuf,
    /// On the loopback address; the same for as long as it lives.
    pub(crate) port: u16,
    /// What it is of somebody else's; none: it is ours.
    pub(crate) contender: Option<Contender>,
    /// Whether it outlives this value.
    pub(super) is_of_stage: bool,
}

impl ServiceProcess {
    /// One that is yet to be started, on a free port, and will live in `folder`/`name`.
    pub(super) fn new(
        service: Service,
        (binary, arguments): (PathBuf, &[&str]),
        (folder, name): (&Path, &str),
        variables: BTreeMap<String, String>,
    ) -> Result<Self, SystemError> {
        let program = binary.file_name().unwrap_or_default();
        Ok(Self {
            service,
            tree: ProcessTree::at(&folder.join(name), program.to_string_lossy())?,
            log: folder.join(format!("{name}.log")),
            port: ports::free().map_err(SystemError::file("find", "a free port"))?,
            binary,
            arguments: arguments.iter().map(ToString::to_string).collect(),
            variables,
            contender: None,
            is_of_stage: false,
        })
    }

    /// Starts one of a command's own, on a free port, and waits until it is ready. It sees these variables and the caller's
    /// `RUST_LOG`: not the caller's policies or delay, by which nobody would judge or measure it.
    pub async fn start_own(
        service: Service,
        home: (&Path, &str),
        mut variables: BTreeMap<String, String>,
        settings: &Settings,
    ) -> Result<Self, SystemError> {
        let binary = settings.program(&format!("holdfast-{service}"))?;
        if let Some((name, filter)) = settings.passed_on.get_key_value("RUST_LOG") {
            let told = variables.entry(name.clone());
            told.or_insert_with(|| filter.clone());
        }
        Self::start_program(service, (binary, &[]), home, variables).await
    }

    /// Likewise, another program in the place of the service's.
    pub async fn start_program(
        service: Service,
        program: (PathBuf, &[&str]),
        home: (&Path, &str),
        variables: BTreeMap<String, String>,
    ) -> Result<Self, SystemError> {
        let mut process = Self::new(service, program, home, variables)?;
        let bind = format!("127.0.0.1:{}", process.port);
        process.variables.insert("HOLDFAST_BIND".to_owned(), bind);
        process.start().await?;
        Ok(process)
    }

    /// Starts it, unless it runs, and waits until it is ready.
    pub async fn start(&mut self) -> Result<(), SystemError> {
        let launched = match self.tree.is_alive() {
            true => None,
            false => Some(self.launch()?),
        };
        match &self.contender {
            Some(contender) => contender.listens(self.port, launched).await,
            None => self.ready(launched).await,
        }
    }

    pub(super) fn launch(&mut self) -> Result<Launched, SystemError> {
        let mut command = Command::new(&self.binary);
        let mut folder = &self.tree.home;
        match &self.contender {
            Some(contender) => folder = &contender.folder,
            // Nothing of the caller's environment reaches what is ours but what is meant for it.
            None => drop(command.env_clear()),
        }
        command.args(&self.arguments).envs(&self.variables);
        let launched = process::launch(command, folder, &self.log)?;
        self.tree.leader = Some(launched.identity.clone());
        Ok(launched)
    }

    /// Returns once it answers that it is ready; `launched`, if it was started just now.
    pub(super) async fn ready(&self, mut launched: Option<Launched>) -> Result<(), SystemError> {
        let probe = AdminClient::new(self.port);
        let mut wait = READY.begin();
        while let Err(problem) = probe.ready().await {
            let ended = launched.as_mut().and_then(Launched::ended);
            let said = || match &launched {
                Some(launched) => launched.said(LOG_LINES),
                None => logs::tail(&self.log, LOG_LINES),
            };
            let problem = match ended {
                Some(status) if status.code() == Some(BAD_CONFIGURATION) => {
                    return Err(SystemError::Refused(refusal(self.service, &said())));
                }
                Some(status) => format!("ended ({status})"),
                None if !self.tree.is_alive() => "ended".to_owned(),
                None if wait.is_over().await => problem,
                None => continue,
            };
            return Err(SystemError::Unhealthy {
                service: self.service,
                problem,
                log: said(),
                file: Some(self.log.clone()),
            });
        }
        Ok(())
    }

    /// Kills it (SIGKILL), and what a dead leader left behind; its port refuses afterwards.
    pub async fn kill(&self) -> Result<(), SystemError> {
        let killed = self.tree.kill().await;
        killed.map_err(SystemError::stuck(self.service))?;
        port::refuses(self.service, self.port).await
    }

    pub async fn pause(&self) -> Result<(), SystemError> {
        let paused = self.tree.pause().await;
        paused.map_err(SystemError::stuck(self.service))
    }

    pub fn resume(&self) {
        self.tree.resume();
    }
}

impl Drop for ServiceProcess {
    fn drop(&mut self) {
        if !self.is_of_stage {
            self.tree.kill_now();
        }
    }
}

/// What a service says when it refuses its configuration: its last line of the kind `holdfast-api: …`, and what follows.
pub(super) fn refusal(service: Service, said: &[String]) -> String {
    let name = format!("holdfast-{service}: ");
    let own = said.iter().rposition(|line| line.starts_with(&name));
    let words = &said[own.unwrap_or(said.len().saturating_sub(1))..];
    if words.is_empty() {
        return format!("{name}refuses its configuration without a word");
    }
    words.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_the_services_own_words_without_the_lines_before() {
        let refusal = |said: &[&str]| {
            let said: Vec<String> = said.iter().map(ToString::to_string).collect();
            refusal(Service::Api, &said)
        };
        let own = ["holdfast-api: bad configuration: x", "  see y"];
        let all = [&["{\"level\":\"INFO\"}"], &own[..]].concat();
        assert_eq!(refusal(&all), own.join("\n"));
        assert_eq!(refusal(&["what"]), "what");
        assert!(refusal(&[]).contains("holdfast-api"));
    }
}
