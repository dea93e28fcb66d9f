//! Schemathesis, in a Python environment of the lab's own.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use holdfast_system::error::SystemError;
use tokio::process::Command;

use super::python::Python;
use super::{ADMIN_TOKEN, Found, Plan};
use crate::output::Console;
use crate::program;
use crate::settings::Settings;
use crate::stage::AdminClient;

const REQUIREMENT: &str = "schemathesis==4.32.5";
const CONFIG: &str = include_str!("schemathesis.toml");

/// Schemathesis, ready to be run.
pub(super) struct Schemathesis {
    program: PathBuf,
    config: PathBuf,
    folder: PathBuf,
}

impl Schemathesis {
    /// Installs it, unless this version is there; its reports go to `folder`.
    pub(super) async fn install(
        settings: &Settings,
        folder: &Path,
        console: Console,
    ) -> Result<Self, SystemError> {
        let python = Python::with(REQUIREMENT, "schemathesis", settings, console).await?;
        let config = folder.join("schemathesis.toml");
        fs::write(&config, CONFIG).map_err(SystemError::file("write", &config))?;
        Ok(Self {
            program: python.program("schemathesis"),
            config,
            folder: folder.to_owned(),
        })
    }

    /// Holds the API to its description; no answer may take longer than `bound`.
    pub(super) async fn run(
        &self,
        plan: Plan,
        scene: &str,
        api: &AdminClient,
        bound: Duration,
    ) -> Result<Found, SystemError> {
        let mut command = Command::new(&self.program);
        command
            .current_dir(&self.folder)
            .arg("--no-color")
            .arg("--config-file")
            .arg(&self.config)
            .arg("run")
            .arg(format!("{}/openapi.json", api.base()))
            // Stateful tests would need links, which the document has none of.
            .arg(format!("--header=Authorization: Bearer {ADMIN_TOKEN}"))
            .arg("--phases=examples,coverage,fuzzing")
            .arg("--generation-database=none")
            .arg("--continue-on-failure")
            .arg("--warnings=off")
            // CPython's parser keeps its depth per process: of two threads one finds that of the other, and Hypothesis gives up.
            .arg("--workers=1")
            .arg(format!("--max-response-time={:.1}", bound.as_secs_f64()))
            .arg(format!("--max-examples={}", plan.examples))
            .arg(format!("--seed={}", plan.seed));
        let output = program::output(&mut command).await?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let log = self.folder.join(format!("schemathesis-{scene}.log"));
        fs::write(&log, &text).map_err(SystemError::file("write", &log))?;
        let counted = text.lines().rev().find(|line| counts_cases(line));
        Ok(Found {
            // Who asked nothing has found nothing.
            held: output.status.success() && counted.is_some(),
            summary: counted.unwrap_or("no test cases").trim().to_owned(),
            output: text,
        })
    }
}

/// Of a line of its output: whether it says how many cases there were, and not that there were none.
fn counts_cases(line: &str) -> bool {
    let mut numbers = line
        .split(|it: char| !it.is_ascii_digit())
        .filter(|it| !it.is_empty());
    line.contains("generated") && numbers.next().is_some_and(|cases| cases != "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cases_are_not_counted() {
        assert!(counts_cases("  1204 generated, 1204 passed"));
        assert!(!counts_cases("  0 generated, 12 skipped"));
        assert!(!counts_cases("No test cases were generated"));
        assert!(!counts_cases("Operations: 12 selected / 12 total"));
    }
}
