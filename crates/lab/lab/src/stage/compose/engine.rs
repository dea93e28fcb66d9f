//! Calling Docker and its Compose tool, of either generation.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;
use std::{io, iter};

use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use crate::error::LabError;

const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Which containers, made by which files of the checkout.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Project {
    pub(crate) name: &'static str,
    pub(crate) files: &'static [&'static str],
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

impl Engine {
    /// `docker compose` (v2) where there is one, else `docker-compose` (1.x). `variables` reach the Compose file.
    pub(super) async fn find(
        project: Project,
        root: PathBuf,
        variables: BTreeMap<String, String>,
    ) -> Result<Self, LabError> {
        let answers = |words: &'static [&'static str]| async move {
            let mut command = command(words);
            let output = timeout(ANSWER_WITHIN, command.output()).await;
            output.is_ok_and(|output| output.is_ok_and(|output| output.status.success()))
        };
        if !answers(&["docker", "version", "--format", "{{.Server.Version}}"]).await {
            return Err(LabError::NoEngine(
                "no engine answers `docker version`".to_owned(),
            ));
        }
        for compose in [&["docker", "compose"][..], &["docker-compose"]] {
            let version: &[&str] = if compose.len() == 1 {
                &["docker-compose", "version"]
            } else {
                &["docker", "compose", "version"]
            };
            if answers(version).await {
                return Ok(Self {
                    compose,
                    project,
                    root,
                    variables,
                });
            }
        }
        let missing = "neither `docker compose` nor `docker-compose` is installed";
        Err(LabError::NoEngine(missing.to_owned()))
    }

    /// The same engine, with more variables for the Compose file.
    pub(super) fn with_variables(&self, more: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut engine = self.clone();
        engine.variables.extend(more);
        engine
    }

    /// Runs the Compose tool on the project and returns what it printed.
    pub(super) async fn compose(&self, arguments: &[&str]) -> Result<String, LabError> {
        let mut command = self.compose_command(arguments);
        succeeded(&command_line(&command), command.output().await)
    }

    /// As [`Self::compose`], with `input` on the tool's stdin.
    pub(super) async fn compose_with(
        &self,
        arguments: &[&str],
        input: &str,
    ) -> Result<String, LabError> {
        let mut command = self.compose_command(arguments);
        let line = command_line(&command);
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
        succeeded(&line, talk.await)
    }

    /// Runs the Compose tool on the project with its output, all of it, on stderr.
    pub(super) async fn compose_shown(&self, arguments: &[&str]) -> Result<(), LabError> {
        let mut command = self.compose_command(arguments);
        command.stdout(io::stderr());
        self.shown(command).await
    }

    /// Runs a script of the checkout: its talk goes to stderr, what it prints is returned.
    pub(super) async fn script(&self, path: &str) -> Result<String, LabError> {
        let mut command = command(iter::once(self.root.join(path)));
        command
            .current_dir(&self.root)
            .envs(&self.variables)
            .stderr(Stdio::inherit());
        succeeded(path, command.output().await)
    }

    /// Runs `docker` and returns what it printed.
    pub(super) async fn docker(&self, arguments: &[&str]) -> Result<String, LabError> {
        let mut command = command(iter::once("docker").chain(arguments.iter().copied()));
        succeeded(&command_line(&command), command.output().await)
    }

    /// What `docker` printed, on either stream; nothing where it fails.
    pub(super) async fn docker_said(&self, arguments: &[&str]) -> String {
        let mut command = command(iter::once("docker").chain(arguments.iter().copied()));
        let output = command.output().await;
        output.map_or_else(
            |_| String::new(),
            |output| String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
        )
    }

    /// The containers of the project, in any state.
    pub(super) async fn container_ids(&self) -> Result<Vec<String>, LabError> {
        let project = self.label();
        let list = ["ps", "--all", "--no-trunc", "--quiet", "--filter", &project];
        lines(self.docker(&list).await)
    }

    /// The volumes of the project.
    pub(super) async fn volumes(&self) -> Result<Vec<String>, LabError> {
        let project = self.label();
        lines(
            self.docker(&["volume", "ls", "--quiet", "--filter", &project])
                .await,
        )
    }

    /// Whether the image of a service has been built, by either generation of the Compose tool.
    pub(super) async fn has_image(&self, service: &str) -> bool {
        for joint in ["-", "_"] {
            let image = format!("{}{joint}{service}", self.project.name);
            let look = ["image", "inspect", "--format", "{{.Id}}", &image];
            if self.docker(&look).await.is_ok() {
                return true;
            }
        }
        false
    }

    fn label(&self) -> String {
        format!("label=com.docker.compose.project={}", self.project.name)
    }

    /// The Compose tool on the project, to be run.
    pub(super) fn compose_command(&self, arguments: &[&str]) -> Command {
        let files = self.project.files.iter().flat_map(|file| ["-f", file]);
        let words = self.compose.iter().copied();
        let words = words.chain(["-p", self.project.name]).chain(files);
        let mut command = command(words.chain(arguments.iter().copied()));
        command.current_dir(&self.root).envs(&self.variables);
        command
    }

    async fn shown(&self, mut command: Command) -> Result<(), LabError> {
        let line = command_line(&command);
        command.stderr(Stdio::inherit());
        match command.status().await {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(LabError::Program {
                command: line,
                output: status.to_string(),
            }),
            Err(error) => Err(LabError::Program {
                command: line,
                output: error.to_string(),
            }),
        }
    }
}

fn lines(told: Result<String, LabError>) -> Result<Vec<String>, LabError> {
    Ok(told?.lines().map(str::to_owned).collect())
}

fn command<S: AsRef<OsStr>>(words: impl IntoIterator<Item = S>) -> Command {
    let mut words = words.into_iter();
    let mut command = words
        .next()
        .map_or_else(|| Command::new("docker"), Command::new);
    command.args(words).stdin(Stdio::null()).kill_on_drop(true);
    command
}

fn command_line(command: &Command) -> String {
    let command = command.as_std();
    let words = iter::once(command.get_program()).chain(command.get_args());
    words
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

fn succeeded(line: &str, output: io::Result<Output>) -> Result<String, LabError> {
    let failed = |output: String| LabError::Program {
        command: line.to_owned(),
        output,
    };
    match output {
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Ok(output) => {
            let complaint = String::from_utf8_lossy(&output.stderr);
            let last = complaint.lines().rfind(|line| !line.trim().is_empty());
            Err(failed(
                last.map_or_else(|| output.status.to_string(), str::to_owned),
            ))
        }
        Err(error) => Err(failed(error.to_string())),
    }
}
