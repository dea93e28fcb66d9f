//! A Python environment of the lab's own, with a program from PyPI in it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use holdfast_system::error::SystemError;
use tokio::process::Command;

use crate::debian;
use crate::output::Console;
use crate::settings::Settings;

/// Its folder. It outlives a command: installing takes up to half a minute.
pub(super) struct Python(PathBuf);

impl Python {
    /// The environment `name`, in which `requirement` is installed unless this version is there.
    pub(super) async fn with(
        requirement: &str,
        name: &str,
        settings: &Settings,
        console: Console,
    ) -> Result<Self, SystemError> {
        let home = settings.folder().join(name);
        let installed = home.join("requirement");
        if !fs::read_to_string(&installed).is_ok_and(|version| version == requirement) {
            console.say(format_args!(
                "installing {requirement} in {}",
                home.display()
            ));
            make_environment(&home, settings).await?;
            let quiet = [
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                requirement,
            ];
            succeed(home.join("bin/python"), &quiet).await?;
            fs::write(&installed, requirement).map_err(SystemError::file("write", &installed))?;
        }
        Ok(Self(home))
    }

    /// One of its programs.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.0.join("bin").join(name)
    }
}

/// Debian has the module that makes environments in a package of its own.
async fn make_environment(home: &Path, settings: &Settings) -> Result<(), SystemError> {
    let arguments = [
        "-m".as_ref(),
        "venv".as_ref(),
        "--clear".as_ref(),
        home.as_os_str(),
    ];
    match succeed("python3", &arguments).await {
        Err(_) if debian::can_install(settings) => {
            debian::install("python3-venv", settings).await?;
            succeed("python3", &arguments).await
        }
        other => other,
    }
}

async fn succeed<S: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    arguments: &[S],
) -> Result<(), SystemError> {
    let mut command = Command::new(program);
    command.args(arguments);
    let output = output(&mut command).await?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    Err(failed(
        &command,
        said.lines().last().unwrap_or("no message"),
    ))
}

/// What `command` came to; it ends with this future.
pub(super) async fn output(command: &mut Command) -> Result<Output, SystemError> {
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await;
    output.map_err(|error| failed(command, &error.to_string()))
}

fn failed(command: &Command, output: &str) -> SystemError {
    SystemError::Program {
        command: format!("{:?}", command.as_std()),
        output: output.to_owned(),
    }
}
