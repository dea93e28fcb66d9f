//! The guard: a process of its own that ends what the lab has raised should the lab end without doing so, killed by SIGKILL
//! or by a panic. Nothing it broke stays broken, and no later command is needed.
//!
//! It holds one end of a pipe. A lab that has cleaned up says so on it; a pipe that ends without a word means that the lab
//! is dead.

mod stand;

use std::env;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use clap::ValueEnum;
use strum::IntoStaticStr;

use crate::error::SystemError;
use crate::settings::StageKind;
use crate::stage::stop_signals;
pub use stand::stand;

/// What the lab says when nothing is left to guard.
const DONE: &[u8] = b"done";

/// What is to be ended should the lab die.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Guarded {
    /// Processes in temporary folders of the command's own.
    Processes,
    /// The containers of the experiments.
    Containers,
    /// The machines of the experiments.
    Nodes,
    /// The stage itself, which the command has brought up from nothing: the tour's.
    Stage,
}

impl Guarded {
    /// Of experiments on this stage.
    pub fn of_experiments(stage: StageKind) -> Self {
        match stage {
            StageKind::Local | StageKind::Virtual => Self::Processes,
            StageKind::Compose => Self::Containers,
            StageKind::Swarm => Self::Nodes,
        }
    }
}

/// Does this with a guard beside it. Ctrl-C gives it up, and what it holds ends with it.
pub async fn guarded<T, E: From<SystemError>>(
    what: Guarded,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let mut signals = stop_signals()?;
    let guard = Guard::post(what)?;
    tokio::select! {
        done = work => done,
        _ = signals.next() => {
            if what == Guarded::Nodes {
                // They do not end with the value that stands for them.
                guard.leave_the_rest();
            }
            Err(SystemError::Interrupted.into())
        }
    }
}

/// The lab's end of the pipe. Dropped, it tells the guard that nothing is left to end; made before all that is guarded, it is
/// dropped after it.
#[derive(Debug)]
pub struct Guard {
    process: Child,
}

impl Guard {
    pub fn post(guarded: Guarded) -> Result<Self, SystemError> {
        Self::run(guarded, None)
    }

    /// Starts the guard of a stage that this process brings up from nothing: of that one, and of none beside it.
    pub fn of_stage(stage: StageKind) -> Result<Self, SystemError> {
        Self::run(Guarded::Stage, Some(stage))
    }

    fn run(guarded: Guarded, stage: Option<StageKind>) -> Result<Self, SystemError> {
        let program = env::current_exe().map_err(SystemError::file("find", "this program"))?;
        // A group of its own: Ctrl-C is for the lab, which then cleans up itself.
        let process = Command::new(&program)
            .args(["guard", guarded.into()])
            .envs(stage.map(|stage| ("STAGE", stage.name())))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(SystemError::file("run", program))?;
        Ok(Self { process })
    }

    /// Leaves the rest to the guard, which tries again once the lab is gone.
    pub fn leave_the_rest(mut self) {
        self.process.stdin = None;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let pipe = self.process.stdin.take();
        // Over a panic nobody knows what was cleaned up.
        let Some(mut pipe) = pipe.filter(|_| !std::thread::panicking()) else {
            return;
        };
        // A guard that is gone needs no word.
        let _ = pipe.write_all(DONE);
        drop(pipe);
        let _ = self.process.wait();
    }
}
