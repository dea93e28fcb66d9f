//! Calling other people's programs, and taking what they print.

use std::ffi::OsStr;
use std::process::{Output, Stdio};
use std::{io, iter};

use tokio::process::Command;

use crate::error::SystemError;

/// A program and its arguments, to be run with nothing on its stdin; dropped, it is killed.
pub fn command<S: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    arguments: impl IntoIterator<Item = S>,
) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// Runs it and returns what it printed.
pub async fn printed(mut command: Command) -> Result<String, SystemError> {
    let line = command_line(&command);
    succeeded(&line, command.output().await)
}

/// What it came to, however that is; it ends with this future.
pub async fn output(command: &mut Command) -> Result<Output, SystemError> {
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await;
    output.map_err(|error| SystemError::Program {
        command: command_line(command),
        output: error.to_string(),
    })
}

/// Runs it with all its talk on stderr.
pub async fn shown(mut command: Command) -> Result<(), SystemError> {
    let line = command_line(&command);
    let failed = |output: String| SystemError::Program {
        command: line,
        output,
    };
    command.stdout(io::stderr()).stderr(Stdio::inherit());
    match command.status().await {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(failed(status.to_string())),
        Err(error) => Err(failed(error.to_string())),
    }
}

pub(crate) fn command_line(command: &Command) -> String {
    let command = command.as_std();
    let words = iter::once(command.get_program()).chain(command.get_args());
    words
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

pub(crate) fn succeeded(line: &str, output: io::Result<Output>) -> Result<String, SystemError> {
    let failed = |output: String| SystemError::Program {
        command: line.to_owned(),
        output,
    };
    match output {
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Ok(output) => {
            // Some complain on the wrong stream.
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            let last = said.lines().rfind(|line| !line.trim().is_empty());
            Err(failed(
                last.map_or_else(|| output.status.to_string(), str::to_owned),
            ))
        }
        Err(error) => Err(failed(error.to_string())),
    }
}
