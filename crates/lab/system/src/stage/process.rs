//! One service's process, as often as it is started; it ends with this value.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::ready::Awaited;
use super::{AdminClient, Contender, Service, port};
use crate::error::SystemError;
use crate::ports;
use crate::process::{self, ProcessTree};
use crate::settings::Settings;

/// A worker or an API. Dropping it kills every process of it.
#[derive(Debug)]
pub struct ServiceProcess {
    service: Service,
    binary: PathBuf,
    arguments: Vec<String>,
    pub(super) variables: BTreeMap<String, String>,
    pub(super) tree: ProcessTree,
    log: PathBuf,
    port: u16,
    probe: AdminClient,
    /// What it is of somebody else's; none: it is ours.
    pub(super) contender: Option<Contender>,
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
        let port = ports::free().map_err(SystemError::file("find", "a free port"))?;
        Ok(Self {
            service,
            tree: ProcessTree::at(&folder.join(name), program.to_string_lossy())?,
            log: folder.join(format!("{name}.log")),
            port,
            probe: AdminClient::new(port),
            binary,
            arguments: arguments.iter().map(|it| (*it).to_owned()).collect(),
            variables,
            contender: None,
        })
    }

    /// Starts one of a command's own, on a free port, and waits until it is ready. It sees these variables and the caller's
    /// `RUST_LOG`: not the caller's policies or delay, by which nobody would judge or measure it.
    pub async fn start_own(
        service: Service,
        (folder, name): (&Path, &str),
        mut variables: BTreeMap<String, String>,
        settings: &Settings,
    ) -> Result<Self, SystemError> {
        let binary = settings.program(&format!("holdfast-{service}"))?;
        if let Some((name, filter)) = settings.log_filter() {
            variables.entry(name).or_insert(filter);
        }
        Self::start_program(service, (binary, &[]), (folder, name), variables).await
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

    /// On the loopback address; the same for as long as it lives.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The questions to it.
    pub fn probe(&self) -> &AdminClient {
        &self.probe
    }

    /// Starts it, unless it runs, and waits until it is ready.
    pub async fn start(&mut self) -> Result<(), SystemError> {
        let mut launched = None;
        if !self.tree.is_alive() {
            let mut command = Command::new(&self.binary);
            command.args(&self.arguments);
            let mut folder = &self.tree.home;
            match &self.contender {
                Some(contender) => folder = &contender.folder,
                // Nothing of the caller's environment reaches what is ours.
                None => drop(command.env_clear()),
            }
            command.envs(&self.variables);
            let started = process::launch(command, folder, &self.log)?;
            self.tree.leader = Some(started.identity.clone());
            launched = Some(started);
        }
        if let Some(contender) = &self.contender {
            return contender.listens(self.port, launched).await;
        }
        let awaited = Awaited {
            service: self.service,
            tree: &self.tree,
            probe: &self.probe,
            log: &self.log,
            launched,
        };
        awaited.ready().await
    }

    /// Kills it (SIGKILL); its port refuses afterwards.
    pub async fn kill(&self) -> Result<(), SystemError> {
        let killed = self.tree.kill().await;
        killed.map_err(SystemError::stuck(self.service))?;
        port::refuses(self.service, self.port).await
    }

    /// Stops it with its port open.
    pub async fn pause(&self) -> Result<(), SystemError> {
        let paused = self.tree.pause().await;
        paused.map_err(SystemError::stuck(self.service))
    }

    /// Lets it go on, if it stands still.
    pub fn resume(&self) {
        self.tree.resume();
    }
}

impl Drop for ServiceProcess {
    fn drop(&mut self) {
        self.tree.kill_now();
    }
}
