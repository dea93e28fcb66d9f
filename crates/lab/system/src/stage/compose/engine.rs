//! Calling Docker and its Compose tool, of either generation.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::PathBuf;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use crate::error::SystemError;
use crate::stage::container::Container;
use crate::stage::program;

const ENGINE_ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// The elder tool is a Python program, which takes a while to start on a busy machine.
const TOOL_ANSWERS_WITHIN: Duration = Duration::from_secs(60);

/// Which containers, made by which files of the checkout.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Project {
    /// Under which its containers are known.
    pub(crate) name: &'static str,
    /// The Compose files, each laid over those before.
    pub(crate) files: &'static [&'static str],
}

pub(super) const STAGE: Project = Project {
    name: "holdfast",
    files: &["deploy/compose.yml"],
};

/// An engine that answers and the Compose tool to go with it.
#[derive(Debug, Clone)]
pub(super) struct Engine {
    compose: &'static [&'static str],
    project: Project,
    pub(super) root: PathBuf,
    /// For the Compose files.
    pub(super) variables: BTreeMap<String, String>,
}

/// Whether the program ends well within this time.
async fn answers(words: &[&str], within: Duration) -> bool {
    let mut command = program::command(words[0], &words[1..]);
    let output = timeout(within, command.output()).await;
    output.is_ok_and(|output| output.is_ok_and(|output| output.status.success()))
}

impl Engine {
    /// `docker compose` (v2) where there is one, else `docker-compose` (1.x). `variables` reach the Compose file.
    pub(super) async fn find(
        project: Project,
        root: PathBuf,
        variables: BTreeMap<String, String>,
    ) -> Result<Self, SystemError> {
        let version = ["docker", "version", "--format", "{{.Server.Version}}"];
        if !answers(&version, ENGINE_ANSWERS_WITHIN).await {
            let missing = "no engine answers `docker version`";
            return Err(SystemError::NoEngine(missing.to_owned()));
        }
        for compose in [&["docker", "compose"][..], &["docker-compose"]] {
            let version = [compose, &["version"]].concat();
            if answers(&version, TOOL_ANSWERS_WITHIN).await {
                return Ok(Self {
                    compose,
                    project,
                    root,
                    variables,
                });
            }
        }
        let missing = "neither `docker compose version` nor `docker-compose version` answers";
        Err(SystemError::NoEngine(missing.to_owned()))
    }

    /// Runs the Compose tool on the project and returns what it printed.
    pub(super) async fn compose(&self, arguments: &[&str]) -> Result<String, SystemError> {
        program::printed(self.compose_command(arguments)).await
    }

    /// As [`Self::compose`], with `input` on the tool's stdin.
    pub(super) async fn compose_with(
        &self,
        arguments: &[&str],
        input: &str,
    ) -> Result<String, SystemError> {
        // More than an argument may hold.
        let file = || -> io::Result<File> {
            let mut file = tempfile::tempfile()?;
            file.write_all(input.as_bytes())?;
            file.rewind()?;
            Ok(file)
        };
        let file = file().map_err(SystemError::file("write", "a temporary file"))?;
        let mut command = self.compose_command(arguments);
        command.stdin(file);
        program::printed(command).await
    }

    /// Runs the Compose tool on the project with its output, all of it, on stderr.
    pub(super) async fn compose_shown(&self, arguments: &[&str]) -> Result<(), SystemError> {
        program::shown(self.compose_command(arguments)).await
    }

    pub(super) async fn docker(&self, arguments: &[&str]) -> Result<String, SystemError> {
        program::printed(program::command("docker", arguments)).await
    }

    /// What `docker` printed, on either stream; nothing where it fails.
    pub(super) async fn docker_said(&self, arguments: &[&str]) -> String {
        let output = program::command("docker", arguments).output().await;
        let said = output.map(|output| [output.stdout, output.stderr].concat());
        String::from_utf8_lossy(&said.unwrap_or_default()).into_owned()
    }

    /// The project's containers, in any state, in the order in which a stage comes up.
    pub(super) async fn containers(&self) -> Result<Vec<Container>, SystemError> {
        let docker = |words: &[&str]| program::command("docker", words);
        let project = self.label();
        let which = ["--all", "--filter", &project];
        match Container::list(docker, &which).await {
            // One of them may have gone since they were listed.
            Err(_) => Container::list(docker, &which).await,
            found => found,
        }
    }

    pub(super) async fn volumes(&self) -> Result<Vec<String>, SystemError> {
        let project = self.label();
        let list = ["volume", "ls", "--quiet", "--filter", &project];
        let told = self.docker(&list).await?;
        Ok(told.lines().map(str::to_owned).collect())
    }

    fn label(&self) -> String {
        format!("label=com.docker.compose.project={}", self.project.name)
    }

    pub(super) fn compose_command(&self, arguments: &[&str]) -> Command {
        let files = self.project.files.iter().flat_map(|file| ["-f", file]);
        let words = self.compose[1..].iter().copied();
        let words = words.chain(["-p", self.project.name]).chain(files);
        let mut command = program::command(self.compose[0], words.chain(arguments.iter().copied()));
        command.current_dir(&self.root).envs(&self.variables);
        command
    }
}
