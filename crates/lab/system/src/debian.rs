//! Getting a program that is missing altogether from Debian's packages, where that needs nobody's permission. Nothing that is
//! installed is upgraded or removed for it.

use std::fmt::Display;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::error::SystemError;
use crate::settings::Settings;

/// Which rehearses, and then installs.
const SCRIPT: &str = "deploy/install.sh";
/// Its exit code where something that is installed would have to be upgraded or removed along with the package.
const WOULD_TOUCH: i32 = 3;

/// Whether packages can be installed here and now: Debian or a child of it, as root, and not forbidden.
pub fn can_install(settings: &Settings) -> bool {
    settings.may_install
        && Path::new("/etc/debian_version").exists()
        && rustix::process::geteuid().is_root()
}

pub fn missing(package: &'static str) -> SystemError {
    SystemError::MissingProgram {
        program: package,
        install: format!("sudo {SCRIPT} {package}"),
    }
}

/// Sees to it that a program can be started, from the package where it cannot.
pub async fn ensure(
    program: &str,
    package: &'static str,
    settings: &Settings,
) -> Result<(), SystemError> {
    // Not all have an option that succeeds and does nothing; to be started at all is enough.
    let start = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match start.await {
        Err(error) if error.kind() == ErrorKind::NotFound => install(package, settings).await,
        _ => Ok(()),
    }
}

/// Installs a package, printing the command; where that is not for the lab to do, it only tells the command.
pub async fn install(package: &'static str, settings: &Settings) -> Result<(), SystemError> {
    if !can_install(settings) {
        return Err(missing(package));
    }
    if is_installed(package).await {
        return Err(SystemError::WouldTouch(package));
    }
    let mut script = Command::new(settings.root.join(SCRIPT));
    script.arg(package).stdin(Stdio::null()).kill_on_drop(true);
    let ended = script
        .status()
        .await
        .map_err(|error| failed(package, &error))?;
    match ended.code() {
        Some(0) => Ok(()),
        Some(WOULD_TOUCH) => Err(SystemError::WouldTouch(package)),
        _ => Err(failed(package, &"what it said stands above")),
    }
}

fn failed(package: &str, why: &dyn Display) -> SystemError {
    SystemError::Program {
        command: format!("{SCRIPT} {package}"),
        output: why.to_string(),
    }
}

/// Whether dpkg has it, or a version of it (`postgresql-17`), be its programs where they may.
async fn is_installed(package: &str) -> bool {
    let versions = format!("{package}-[0-9]*");
    let format = "--showformat=${db:Status-Status}\n";
    let mut query = Command::new("dpkg-query");
    let told = query
        .args(["--show", format, package, &versions])
        .stderr(Stdio::null())
        .output()
        .await;
    told.is_ok_and(|told| {
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        told.lines().any(|status| status == "installed")
    })
}
