//! Trials on the virtual stage: `simulate`, which has the service's core and the modelled world in it, plays them.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use holdfast_system::error::SystemError;
use serde::Serialize;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::output::Console;
use crate::plan::{Experiment, Side};
use crate::settings::{Settings, StageKind};
use crate::system;
use crate::trial::Trial;

const PROGRAM: &str = "simulate";

#[derive(Debug)]
pub(crate) enum Backend {
    Virtual(PathBuf),
    Real(system::Backend),
}

impl Backend {
    /// Of this stage; for containers, their images are built now.
    pub(crate) async fn prepare(
        stage: StageKind,
        settings: &Settings,
        console: Console,
    ) -> Result<Self, SystemError> {
        Ok(match stage {
            StageKind::Virtual => Self::Virtual(settings.program(PROGRAM)?),
            _ => Self::Real(system::Backend::prepare(stage, settings, console).await?),
        })
    }

    /// Ends what outlives its trials.
    pub(crate) async fn leave(&self) -> Result<(), SystemError> {
        match self {
            Self::Virtual(_) => Ok(()),
            Self::Real(ground) => ground.leave().await,
        }
    }
}

/// One side, to be played.
#[derive(Serialize)]
pub(crate) struct Order<'a> {
    pub(crate) experiment: &'a Experiment,
    /// The policy file's text.
    pub(crate) policies: &'a str,
    pub(crate) side: Side,
}

impl Order<'_> {
    /// Has this program play it, in milliseconds; what it complains of is in its own words.
    pub(crate) async fn played_by(&self, program: &Path) -> Result<Trial, SystemError> {
        let failed = |output: String| SystemError::Program {
            command: format!("{PROGRAM} --trial"),
            output,
        };
        let order = serde_json::to_vec(self).map_err(|error| failed(error.to_string()))?;
        let played = async {
            let mut child = Command::new(program)
                .arg("--trial")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .kill_on_drop(true)
                .spawn()?;
            if let Some(mut input) = child.stdin.take() {
                input.write_all(&order).await?;
            }
            child.wait_with_output().await
        };
        let output = played.await.map_err(|error| failed(error.to_string()))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(failed(said.trim().to_owned()));
        }
        serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string()))
    }
}
