//! Calling Docker and its Compose tool, of either generation.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
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
pub struct Project {
    /// Under which its containers are known.
    pub name: &'static str,
    /// The Compose files, each laid over those before.
    pub files: &'static [&'static str],
}

/// The lab's stage.
pub(super) const STAGE: Project = Project {
    name: "holdfast",
    files: &["deploy/compose.yml"],
};

/// An engine that answers and the Compose tool to go with it.
#[derive(Debug, Clone)]
pub(super) struct Engine {
    compose: &'static [&'static str],
    project: Project,
    root: PathBuf,
    variables: BTreeMap<String, String>,
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
            return Err(SystemError::NoEngine(
                "no engine answers `docker version`".to_owned(),
            ));
        }
        for compose in [&["docker", "compose"][..], &["docker-compose"]] {
            let version: &[&str] = if compose.len() == 1 {
                &["docker-compose", "version"]
            } else {
                &["docker", "compose", "version"]
            };
            if answers(version, TOOL_ANSWERS_WITHIN).await {
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

    /// The same engine, with more variables for the Compose file.
    pub(super) fn with_variables(&self, more: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut engine = self.clone();
        engine.variables.extend(more);
        engine
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
        let mut command = self.compose_command(arguments);
        let line = program::command_line(&command);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let talk = async {
            let mut child = command.spawn()?;
            let stdin = child.stdin.take();
            let feed = async move {
                if let Some(mut stdin) = stdin {
                    // A tool that ends early says why on its stderr.
                    let _ = stdin.write_all(input.as_bytes()).await;
                }
            };
            let (output, ()) = tokio::join!(child.wait_with_output(), feed);
            output
        };
        program::succeeded(&line, talk.await)
    }

    /// Runs the Compose tool on the project with its output, all of it, on stderr.
    pub(super) async fn compose_shown(&self, arguments: &[&str]) -> Result<(), SystemError> {
        program::shown(self.compose_command(arguments)).await
    }

    /// The checkout.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Runs `docker` and returns what it printed.
    pub(super) async fn docker(&self, arguments: &[&str]) -> Result<String, SystemError> {
        program::printed(program::command("docker", arguments)).await
    }

    /// What `docker` printed, on either stream; nothing where it fails.
    pub(super) async fn docker_said(&self, arguments: &[&str]) -> String {
        let output = program::command("docker", arguments).output().await;
        output.map_or_else(
            |_| String::new(),
            |output| String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
        )
    }

    /// The project's containers, in any state, in the order in which a stage comes up.
    pub(super) async fn containers(&self) -> Result<Vec<Container>, SystemError> {
        let told = match self.inspect().await {
            // One of them may have gone since they were listed.
            Err(_) => self.inspect().await?,
            Ok(told) => told,
        };
        Container::read(&told)
    }

    async fn inspect(&self) -> Result<String, SystemError> {
        let ids = self.container_ids().await?;
        if ids.is_empty() {
            return Ok("[]".to_owned());
        }
        let mut command = vec!["inspect", "--type", "container"];
        command.extend(ids.iter().map(String::as_str));
        self.docker(&command).await
    }

    async fn container_ids(&self) -> Result<Vec<String>, SystemError> {
        let project = self.label();
        let list = ["ps", "--all", "--no-trunc", "--quiet", "--filter", &project];
        lines(self.docker(&list).await)
    }

    /// The volumes of the project.
    pub(super) async fn volumes(&self) -> Result<Vec<String>, SystemError> {
        let project = self.label();
        lines(
            self.docker(&["volume", "ls", "--quiet", "--filter", &project])
                .await,
        )
    }

    fn label(&self) -> String {
        format!("label=com.docker.compose.project={}", self.project.name)
    }

    /// The Compose tool on the project, to be run.
    pub(super) fn compose_command(&self, arguments: &[&str]) -> Command {
        let files = self.project.files.iter().flat_map(|file| ["-f", file]);
        let words = self.compose[1..].iter().copied();
        let words = words.chain(["-p", self.project.name]).chain(files);
        let mut command = program::command(self.compose[0], words.chain(arguments.iter().copied()));
        command.current_dir(&self.root).envs(&self.variables);
        command
    }
}

fn lines(told: Result<String, SystemError>) -> Result<Vec<String>, SystemError> {
    Ok(told?.lines().map(str::to_owned).collect())
}
