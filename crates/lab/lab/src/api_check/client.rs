//! A Python client, generated from `/openapi.json`, talks to the API: healthy, without its worker, and healed.

use std::fs;
use std::path::Path;

use holdfast_system::error::SystemError;
use tokio::process::Command;

use super::python::Python;
use super::{ADMIN_TOKEN, spec};
use crate::output::{Console, Tone};
use crate::program;
use crate::settings::Settings;
use crate::system::{Part, System};

const REQUIREMENT: &str = "openapi-python-client==0.29.1";
/// Without formatters, which would have to be installed as well.
const CONFIG: &str = "package_name_override: holdfast_client\npost_hooks: []\n";
const SCRIPT: &str = include_str!("client.py");

/// Where the client is generated and its script is run.
struct Client<'a> {
    python: Python,
    folder: &'a Path,
    base: &'a str,
    console: Console,
}

/// Generates the client and has it play all scenarios; whether each answer was what its types say.
pub(super) async fn play(
    settings: &Settings,
    folder: &Path,
    console: Console,
) -> Result<bool, SystemError> {
    let python = Python::with(REQUIREMENT, "client", settings, console).await?;
    let system = System::start_in(folder, &spec(), settings).await?;
    let client = Client {
        python,
        folder,
        base: system.client(Part::Api(0))?.base(),
        console,
    };
    if !client.is_generated().await? {
        return Ok(false);
    }
    let healthy = client.plays("healthy").await?;
    system.kill(Part::Worker).await?;
    let without_worker = client.plays("worker-dead").await?;
    system.start(Part::Worker).await?;
    Ok(client.plays("healed").await? && without_worker && healthy)
}

impl Client<'_> {
    async fn is_generated(&self) -> Result<bool, SystemError> {
        let config = self.folder.join("client.yml");
        fs::write(&config, CONFIG).map_err(SystemError::file("write", &config))?;
        let mut command = Command::new(self.python.program("openapi-python-client"));
        command
            .current_dir(self.folder)
            .args(["generate", "--meta=none", "--overwrite"])
            .arg(format!("--url={}/openapi.json", self.base))
            .arg("--config=client.yml")
            .arg("--output-path=holdfast_client");
        self.succeeds("generated", &mut command).await
    }

    async fn plays(&self, scenario: &str) -> Result<bool, SystemError> {
        let mut command = Command::new(self.python.program("python"));
        command
            .current_dir(self.folder)
            .env("HOLDFAST_ADMIN_TOKEN", ADMIN_TOKEN)
            .args(["-c", SCRIPT, self.base, scenario]);
        self.succeeds(scenario, &mut command).await
    }

    async fn succeeds(&self, what: &str, command: &mut Command) -> Result<bool, SystemError> {
        let output = program::output(command).await?;
        let succeeded = output.status.success();
        let verdict = match succeeded {
            true => (Tone::Good, "as described"),
            false => (Tone::Bad, "NOT as described"),
        };
        let verdict = self.console.paint(verdict.0, verdict.1);
        self.console.print(format_args!("  {what:<14}{verdict}"));
        if !succeeded {
            let said = [output.stdout, output.stderr].concat();
            self.console.say(String::from_utf8_lossy(&said));
        }
        Ok(succeeded)
    }
}
