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
    command.args(arguments);
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// Runs it and returns what it printed; if it fails, the error has the last it said.
pub async fn printed(mut command: Command) -> Result<String, SystemError> {
    let output = command.output().await;
    let output = output.map_err(|error| failed(&command, error.to_string()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    // Some complain on the wrong stream.
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let last = said.lines().rfind(|line| !line.trim().is_empty());
    let last = last.map_or_else(|| output.status.to_string(), str::to_owned);
    Err(failed(&command, last))
}

/// What it came to, however that is; it ends with this future.
pub async fn output(command: &mut Command) -> Result<Output, SystemError> {
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await;
    output.map_err(|error| failed(command, error.to_string()))
}

/// Runs it with all its talk on stderr.
pub async fn shown(mut command: Command) -> Result<(), SystemError> {
    command.stdout(io::stderr()).stderr(Stdio::inherit());
    match command.status().await {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(failed(&command, status.to_string())),
        Err(error) => Err(failed(&command, error.to_string())),
    }
}

fn failed(command: &Command, output: String) -> SystemError {
    let command = command.as_std();
    let words = iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(OsStr::to_string_lossy).collect();
    let command = words.join(" ");
    SystemError::Program { command, output }
}
