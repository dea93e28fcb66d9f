//! The guard: a process of its own that ends what the lab has raised should the lab end without doing so, killed by SIGKILL
//! or by a panic. Nothing it broke stays broken, and no later command is needed.
//!
//! It holds one end of a pipe. A lab that has cleaned up says so on it; a pipe that ends without a word means that the lab
//! is dead.

use std::env;
use std::process::Stdio;
use std::time::Duration;

use holdfast_ops::signals::StopSignals;
use rustix::process::getppid;
use tokio::io::{AsyncReadExt, AsyncWriteExt, stdin};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use super::compose;
use crate::error::LabError;
use crate::output::Console;
use crate::own_folder;
use crate::postgres;
use crate::settings::{Settings, StageKind};

/// What the lab says when nothing is left to guard.
const DONE: &[u8] = b"done";
const ENDED_WITHIN: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(10);

/// The lab's end of the pipe.
#[derive(Debug)]
pub(in crate::experiment) struct Guard {
    process: Child,
}

impl Guard {
    /// Starts the guard of this process.
    pub(in crate::experiment) fn post(stage: StageKind) -> Result<Self, LabError> {
        let program = env::current_exe().map_err(LabError::file("find", "this program"))?;
        // A group of its own: Ctrl-C is for the lab, which then cleans up itself.
        let process = Command::new(&program)
            .args(["guard", stage.name()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(LabError::file("run", program))?;
        Ok(Self { process })
    }

    /// Nothing is left to guard.
    pub(in crate::experiment) async fn dismiss(mut self) {
        if let Some(mut pipe) = self.process.stdin.take() {
            // A guard that is gone needs no word.
            let _ = pipe.write_all(DONE).await;
        }
        let _ = self.process.wait().await;
    }
}

/// What the guard does: waits for the end of the lab that started it, and cleans up after it if need be.
///
/// # Errors
/// When something cannot be ended.
pub async fn stand(
    stage: StageKind,
    settings: &Settings,
    console: Console,
) -> Result<(), LabError> {
    // Whoever signals everything they find means the lab; the guard ends after it.
    let mut signals = StopSignals::listen().map_err(LabError::file("listen for", "signals"))?;
    let lab = getppid();
    let mut said = Vec::new();
    let mut pipe = stdin();
    loop {
        tokio::select! {
            read = pipe.read_to_end(&mut said) => {
                read.map_err(LabError::file("read", "the lab's pipe"))?;
                break;
            }
            _ = signals.next() => {}
        }
    }
    if said == DONE {
        return Ok(());
    }
    // The pipe ends a moment before the lab does, which until then holds its lock and owns its folders.
    let deadline = Instant::now() + ENDED_WITHIN;
    while getppid() == lab && Instant::now() < deadline {
        sleep(POLL).await;
    }
    console.say("the lab ended before it had cleaned up: ending what it left");
    match stage {
        StageKind::Local => {
            own_folder::end_stale(settings, console).await;
            postgres::end_stale().await;
            Ok(())
        }
        StageKind::Compose => compose::end_stale(settings, console).await,
    }
}
