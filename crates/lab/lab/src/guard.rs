//! The guard: a process of its own that ends what the lab has raised should the lab end without doing so, killed by SIGKILL
//! or by a panic. Nothing it broke stays broken, and no later command is needed.
//!
//! It holds one end of a pipe. A lab that has cleaned up says so on it; a pipe that ends without a word means that the lab
//! is dead.

use std::env;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use clap::ValueEnum;
use holdfast_ops::signals::StopSignals;
use rustix::process::{getpgid, getppid};
use tokio::io::{AsyncReadExt, stdin};
use tokio::time::{Instant, sleep};

use crate::error::LabError;
use crate::experiment;
use crate::output::Console;
use crate::own_folder;
use crate::postgres;
use crate::process;
use crate::settings::{Settings, StageKind};
use crate::stage::Stage;

/// What the lab says when nothing is left to guard.
const DONE: &[u8] = b"done";
const ENDED_WITHIN: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(10);
/// Programs that a command runs beside its services, and which would go on without it.
const HELPERS: [&str; 5] = ["wrk", "pgbench", "schemathesis", "promtool", "curl"];

/// What is to be ended should the lab die.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Guarded {
    /// Processes in temporary folders of the command's own.
    Processes,
    /// The containers of the experiments.
    Containers,
    /// The stage itself, which the command has brought up from nothing: the tour's.
    Stage,
}

impl Guarded {
    /// Of experiments on this stage.
    #[must_use]
    pub fn of_experiments(stage: StageKind) -> Self {
        match stage {
            StageKind::Local => Self::Processes,
            StageKind::Compose => Self::Containers,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Processes => "processes",
            Self::Containers => "containers",
            Self::Stage => "stage",
        }
    }
}

/// The lab's end of the pipe. Dropped, it tells the guard that nothing is left to end; made before all that is guarded, it is
/// dropped after it.
#[derive(Debug)]
pub(crate) struct Guard {
    process: Child,
    left: bool,
}

impl Guard {
    /// Starts the guard of this process.
    pub(crate) fn post(guarded: Guarded) -> Result<Self, LabError> {
        let program = env::current_exe().map_err(LabError::file("find", "this program"))?;
        // A group of its own: Ctrl-C is for the lab, which then cleans up itself.
        let process = Command::new(&program)
            .args(["guard", guarded.name()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(LabError::file("run", program))?;
        Ok(Self {
            process,
            left: false,
        })
    }

    /// Leaves the rest to the guard, which tries again once the lab is gone.
    pub(crate) fn leave_the_rest(mut self) {
        self.left = true;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let pipe = self.process.stdin.take();
        // Over a panic nobody knows what was cleaned up.
        if self.left || std::thread::panicking() {
            return;
        }
        if let Some(mut pipe) = pipe {
            // A guard that is gone needs no word.
            let _ = pipe.write_all(DONE);
        }
        let _ = self.process.wait();
    }
}

/// What the guard does: waits for the end of the lab that started it, and cleans up after it if need be.
///
/// # Errors
/// When something cannot be ended.
pub async fn stand(
    guarded: Guarded,
    settings: &Settings,
    console: Console,
) -> Result<(), LabError> {
    // Whoever signals everything they find means the lab; the guard ends after it.
    let mut signals = StopSignals::listen().map_err(LabError::file("listen for", "signals"))?;
    let lab = getppid();
    let group = lab.and_then(|lab| getpgid(Some(lab)).ok());
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
    if let Some(group) = group {
        process::kill_of_group(group.as_raw_nonzero().get(), &HELPERS);
    }
    match guarded {
        Guarded::Processes => {
            own_folder::end_stale(settings, console).await;
            postgres::end_stale().await;
            Ok(())
        }
        Guarded::Containers => experiment::end_stale_containers(settings, console).await,
        Guarded::Stage => {
            for stage in Stage::to_take_down(settings, console).await? {
                stage.down().await?;
            }
            Ok(())
        }
    }
}
