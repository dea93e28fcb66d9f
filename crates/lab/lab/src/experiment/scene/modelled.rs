//! Trials on the virtual stage: `simulate`, which has the service's core and the modelled world in it, plays them.

use std::path::PathBuf;
use std::process::Stdio;

use serde::Serialize;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::error::LabError;
use crate::experiment::plan::{Experiment, Side};
use crate::experiment::trial::Trial;
use crate::settings::Settings;

const PROGRAM: &str = "simulate";

/// What plays them.
#[derive(Debug)]
pub(in crate::experiment) struct Modelled {
    program: PathBuf,
}

/// What it is told.
#[derive(Serialize)]
struct Order<'a> {
    experiment: &'a Experiment,
    /// The policy file's text.
    policies: &'a str,
    side: Side,
}

impl Modelled {
    /// # Errors
    /// [`LabError::NotBuilt`].
    pub(super) fn find(settings: &Settings) -> Result<Self, LabError> {
        let program = settings.binaries.join(PROGRAM);
        match program.is_file() {
            true => Ok(Self { program }),
            false => Err(LabError::NotBuilt(program)),
        }
    }

    /// One side, played in milliseconds.
    ///
    /// # Errors
    /// When it cannot be, in the program's own words.
    pub(in crate::experiment) async fn trial(
        &self,
        experiment: &Experiment,
        policies: &str,
        side: Side,
    ) -> Result<Trial, LabError> {
        let order = Order {
            experiment,
            policies,
            side,
        };
        let failed = |output: String| LabError::Program {
            command: format!("{PROGRAM} --trial"),
            output,
        };
        let order = serde_json::to_vec(&order).map_err(|error| failed(error.to_string()))?;
        let played = async {
            let mut child = Command::new(&self.program)
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
