//! What Prometheus' own tool says of the repository's files and of what the services expose.

use std::path::Path;
use std::process::{Output, Stdio};

use holdfast_system::error::SystemError;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

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
        findings.extend(complaint(arguments, None).await?);
    }
    Ok(findings)
}

/// What is wrong with an exposition.
pub(super) async fn check_metrics(exposition: &str) -> Result<Option<String>, SystemError> {
    if exposition.is_empty() {
        return Ok(Some("a service exposes no metrics".to_owned()));
    }
    complaint(&["check", "metrics"], Some(exposition)).await
}

async fn complaint(arguments: &[&str], input: Option<&str>) -> Result<Option<String>, SystemError> {
    let output = promtool(arguments, input).await;
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

async fn promtool(arguments: &[&str], input: Option<&str>) -> std::io::Result<Output> {
    let mut command = Command::new("promtool");
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn()?;
    let stdin = child.stdin.take();
    let feed = async move {
        if let (Some(mut stdin), Some(input)) = (stdin, input) {
            // A tool that ends early says why on its stderr.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
    };
    let (output, ()) = tokio::join!(child.wait_with_output(), feed);
    output
}
