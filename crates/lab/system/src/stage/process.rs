//! One service's process, as often as it is started; it ends with this value.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::ready::Awaited;
use super::{AdminClient, Service, port};
use crate::error::SystemError;
use crate::ports;
use crate::process::{self, ProcessTree};
use crate::settings::Settings;

/// A worker or an API. Dropping it kills every process of it.
#[derive(Debug)]
pub struct ServiceProcess {
    service: Service,
    binary: PathBuf,
    arguments: &'static [&'static str],
    variables: BTreeMap<String, String>,
    tree: ProcessTree,
    log: PathBuf,
    port: u16,
    probe: AdminClient,
}

impl ServiceProcess {
    /// One that is yet to be started, and will live in `folder`/`name`.
    fn new(
        service: Service,
        binary: PathBuf,
        (folder, name): (&Path, &str),
        port: u16,
        variables: BTreeMap<String, String>,
    ) -> Result<Self, SystemError> {
        let home = folder.join(name);
        fs::create_dir_all(&home).map_err(SystemError::file("make", &home))?;
        let home = home
            .canonicalize()
            .map_err(SystemError::file("find", &home))?;
        let program = binary.file_name().unwrap_or_default();
        Ok(Self {
            service,
            tree: ProcessTree {
                leader: None,
                home,
                program: program.to_string_lossy().into_owned(),
            },
            log: folder.join(format!("{name}.log")),
            port,
            probe: AdminClient::new(port),
            binary,
            arguments: &[],
            variables,
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
        let binary = settings.binaries.join(format!("holdfast-{service}"));
        if !binary.is_file() {
            return Err(SystemError::NotBuilt(binary));
        }
        if let Some((name, filter)) = settings.log_filter() {
            variables.entry(name).or_insert(filter);
        }
        Self::start_program(service, (binary, &[]), (folder, name), variables).await
    }

    /// Likewise, another program in the place of the service's.
    pub async fn start_program(
        service: Service,
        (binary, arguments): (PathBuf, &'static [&'static str]),
        (folder, name): (&Path, &str),
        mut variables: BTreeMap<String, String>,
    ) -> Result<Self, SystemError> {
        let port = ports::free().map_err(SystemError::file("find", "a free port"))?;
        variables.insert("HOLDFAST_BIND".to_owned(), format!("127.0.0.1:{port}"));
        let mut process = Self::new(service, binary, (folder, name), port, variables)?;
        process.arguments = arguments;
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
            command
                .args(self.arguments)
                .env_clear()
                .envs(&self.variables);
            let started = process::launch(command, &self.tree.home, &self.log)?;
            self.tree.leader = Some(started.identity.clone());
            launched = Some(started);
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
        self.tree.kill().await.map_err(|pids| self.stuck(pids))?;
        port::refuses(self.service, self.port).await
    }

    /// Stops it with its port open.
    pub async fn pause(&self) -> Result<(), SystemError> {
        self.tree.pause().await.map_err(|pids| self.stuck(pids))
    }

    /// Lets it go on, if it stands still.
    pub fn resume(&self) {
        self.tree.resume();
    }

    fn stuck(&self, pids: Vec<i32>) -> SystemError {
        SystemError::Stuck {
            service: self.service,
            pids,
        }
    }
}

impl Drop for ServiceProcess {
    fn drop(&mut self) {
        self.tree.kill_now();
    }
}
