//! Starting a process that does not end with the command that started it.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use tokio::process::{Child, Command};

use super::Identity;
use crate::files::FileError;
use crate::logs;

/// A process as long as the command that started it looks on. Dropped, it runs on.
#[derive(Debug)]
pub struct Launched {
    pub identity: Identity,
    child: Child,
    log: PathBuf,
    /// Where in the log its own lines begin.
    from: u64,
}

impl Launched {
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// The last `count` lines it has logged.
    pub fn said(&self, count: usize) -> Vec<String> {
        logs::tail_from(&self.log, self.from, count)
    }
}

/// Starts a process in the folder `home` and appends all it says to `log`.
pub fn launch(mut command: Command, home: &Path, log: &Path) -> Result<Launched, FileError> {
    let cannot_log = || FileError::at("write", log);
    let output = File::options().create(true).append(true).open(log);
    let output = output.map_err(cannot_log())?;
    let from = output.metadata().map_err(cannot_log())?.len();
    let errors = output.try_clone().map_err(cannot_log())?;
    // A group of its own: Ctrl-C in the terminal is for the command, not for the services.
    command
        .current_dir(home)
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .process_group(0);
    let program = PathBuf::from(command.as_std().get_program());
    // Dropping the handle leaves the process running, and has it reaped when it ends.
    let child = command.spawn().map_err(FileError::at("run", &program))?;
    let gone = || FileError::at("find the process of", program)(ErrorKind::NotFound.into());
    let identity = child.id().and_then(Identity::of).ok_or_else(gone)?;
    Ok(Launched {
        identity,
        child,
        log: log.to_owned(),
        from,
    })
}
