//! What a command does on a system of its own, beside a guard: whatever happens, nothing that it started goes on.

use std::path::Path;

use holdfast_experiment::error::ExperimentError;

use crate::debian;
use crate::error::LabError;
use crate::guard::{Guarded, guarded};
use crate::output::Console;
use crate::run_dir::RunDir;
use crate::settings::Settings;

/// Does this in a folder of its own, which stays, for whoever wants to look into it, unless all was well. The program that it
/// `needs` is installed where it is missing.
pub(crate) async fn alone(
    command: &'static str,
    needs: Option<&'static str>,
    settings: &Settings,
    console: Console,
    work: impl AsyncFnOnce(&Path) -> Result<bool, LabError>,
) -> Result<bool, LabError> {
    settings.on_processes(command)?;
    guarded(Guarded::Processes, async {
        if let Some(program) = needs {
            debian::ensure(program, program, settings).await?;
        }
        let mut folder = RunDir::make(command, settings, console).await?;
        match work(folder.path()).await {
            Ok(true) => Ok(true),
            Err(LabError::Experiment(ExperimentError::System(error))) => {
                Err(folder.left_by(error).into())
            }
            amiss => {
                folder.keep();
                let folder = folder.path().display();
                console.say(format_args!("  logs are in {folder}"));
                amiss
            }
        }
    })
    .await
}
