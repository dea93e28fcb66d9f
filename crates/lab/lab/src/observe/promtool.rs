//! What Prometheus' own tool says of the repository's files and of what the services expose.

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;

use holdfast_system::error::SystemError;

use crate::program;

/// What is wrong with the configuration, the rules and what the rules' tests found, in the folder `files`.
pub(super) async fn check_files(files: &Path) -> Result<Vec<String>, SystemError> {
    let path = |name: &str| files.join(name).to_string_lossy().into_owned();
    let (alerts, recording) = (path("rules/alerts.yml"), path("rules/recording.yml"));
    let mut findings = Vec::new();
    for arguments in [
        &["check", "config", &path("prometheus.yml")][..],
        &["check", "rules", "--lint-fatal", &alerts, &recording],
        &["test", "rules", &path("rules_test.yml")],
    ] {
        findings.extend(complaint(arguments, Stdio::null()).await?);
    }
    Ok(findings)
}

/// What is wrong with an exposition, which is kept in `folder`.
pub(super) async fn check_metrics(
    exposition: &str,
    folder: &Path,
) -> Result<Option<String>, SystemError> {
    if exposition.is_empty() {
        return Ok(Some("a service exposes no metrics".to_owned()));
    }
    let file = folder.join("metrics.txt");
    fs::write(&file, exposition).map_err(SystemError::file("write", &file))?;
    let file = File::open(&file).map_err(SystemError::file("read", file))?;
    complaint(&["check", "metrics"], file.into()).await
}

async fn complaint(arguments: &[&str], input: Stdio) -> Result<Option<String>, SystemError> {
    let mut command = program::command("promtool", arguments);
    let output = command.stdin(input).output().await;
    let output = output.map_err(SystemError::file("run", "promtool"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    // Of a metric it only warns: then it has complained, and ended well.
    let silent = arguments != ["check", "metrics"] || said.trim().is_empty();
    if output.status.success() && silent {
        return Ok(None);
    }
    let said = [&said, &String::from_utf8_lossy(&output.stdout)].map(|text| text.trim().to_owned());
    Ok(Some(format!(
        "promtool {}: {}",
        arguments.join(" "),
        said.join("\n").trim()
    )))
}
