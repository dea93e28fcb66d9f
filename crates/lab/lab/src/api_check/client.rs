//! A Python client, generated from `/openapi.json`, talks to the API.

use std::fs;
use std::path::{Path, PathBuf};

use holdfast_system::error::SystemError;
use tokio::process::Command;

use super::python::Python;
use super::{ADMIN_TOKEN, Found};
use crate::output::Console;
use crate::program;
use crate::settings::Settings;

const REQUIREMENT: &str = "openapi-python-client==0.29.1";
/// Without formatters, which would have to be installed as well.
const CONFIG: &str = "package_name_override: holdfast_client\npost_hooks: []\n";
const SCRIPT: &str = include_str!("client.py");

/// Where the client is generated and its script is run.
pub(super) struct Client {
    python: Python,
    folder: PathBuf,
}

impl Client {
    /// Installs what generates it, unless this version is there.
    pub(super) async fn install(
        settings: &Settings,
        folder: &Path,
        console: Console,
    ) -> Result<Self, SystemError> {
        let python = Python::with(REQUIREMENT, "client", settings, console).await?;
        let folder = folder.to_owned();
        Ok(Self { python, folder })
    }

    /// From what the API at `base` says of itself.
    pub(super) async fn generate(&self, base: &str) -> Result<Found, SystemError> {
        let config = self.folder.join("client.yml");
        fs::write(&config, CONFIG).map_err(SystemError::file("write", &config))?;
        let mut command = Command::new(self.python.program("openapi-python-client"));
        command
            .args(["generate", "--meta=none", "--overwrite"])
            .arg(format!("--url={base}/openapi.json"))
            .arg("--config=client.yml")
            .arg("--output-path=holdfast_client");
        self.found(command).await
    }

    /// Does what its users would.
    pub(super) async fn play(&self, scene: &str, base: &str) -> Result<Found, SystemError> {
        let mut command = Command::new(self.python.program("python"));
        command
            .env("HOLDFAST_ADMIN_TOKEN", ADMIN_TOKEN)
            .args(["-c", SCRIPT, base, scene]);
        self.found(command).await
    }

    async fn found(&self, mut command: Command) -> Result<Found, SystemError> {
        let output = program::output(command.current_dir(&self.folder)).await?;
        let said = [output.stdout, output.stderr].concat();
        Ok(Found {
            held: output.status.success(),
            summary: String::new(),
            output: String::from_utf8_lossy(&said).into_owned(),
        })
    }
}
