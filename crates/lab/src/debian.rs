//! Getting a missing program from Debian's packages, where that needs nobody's permission.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::error::LabError;
use crate::output::Console;

/// Whether packages can be installed here and now: Debian or a child of it, as root.
#[must_use]
pub fn can_install() -> bool {
    Path::new("/etc/debian_version").exists() && rustix::process::geteuid().is_root()
}

/// Installs a package, saying so.
///
/// # Errors
/// With the last line of apt-get's complaint.
pub async fn install(package: &str, console: &Console) -> Result<(), LabError> {
    console.say(format_args!(
        "{package} is missing: installing it with apt-get"
    ));
    // The lists may never have been fetched, or be so old that they name versions that are gone.
    run(&["update", "-qq"]).await?;
    run(&["install", "-y", "-qq", "--no-install-recommends", package]).await
}

async fn run(arguments: &[&str]) -> Result<(), LabError> {
    let mut command = Command::new("apt-get");
    command
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let failed = |output: String| LabError::Program {
        command: format!("apt-get {}", arguments.join(" ")),
        output,
    };
    let output = command
        .output()
        .await
        .map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(failed(
        complaint.lines().last().unwrap_or("no message").to_owned(),
    ))
}
