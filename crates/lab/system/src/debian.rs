//! Getting a program that is missing altogether from Debian's packages, where that needs nobody's permission. Nothing that is
//! installed is upgraded or removed for it.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::error::SystemError;
use crate::output::Console;
use crate::program;
use crate::settings::Settings;

/// `--no-upgrade` spares what is named; what would have to be upgraded or removed along with it is found by a rehearsal.
const INSTALL: [&str; 6] = [
    "install",
    "-y",
    "-qq",
    "--no-install-recommends",
    "--no-upgrade",
    "--no-remove",
];

/// Whether packages can be installed here and now: Debian or a child of it, as root, and not forbidden.
#[must_use]
pub fn can_install(settings: &Settings) -> bool {
    settings.may_install
        && Path::new("/etc/debian_version").exists()
        && rustix::process::geteuid().is_root()
}

/// The command that installs a package, for whoever is to run it.
fn command(package: &str) -> String {
    format!("sudo apt-get {} {package}", INSTALL.join(" "))
}

/// That a program is not there, and what installs it.
pub fn missing(package: &'static str) -> SystemError {
    SystemError::MissingProgram {
        program: package,
        install: command(package),
    }
}

/// Installs a package, printing the command; where that is not for the lab to do, it only tells the command.
///
/// # Errors
/// [`SystemError::MissingProgram`]; [`SystemError::WouldTouch`]; with the last line of apt-get's complaint.
pub async fn install(
    package: &'static str,
    settings: &Settings,
    console: Console,
) -> Result<(), SystemError> {
    if !can_install(settings) {
        return Err(missing(package));
    }
    if is_installed(package).await {
        return Err(SystemError::WouldTouch(package));
    }
    console.say(format_args!(
        "{package} is missing: apt-get {} {package}",
        INSTALL.join(" ")
    ));
    // The lists may never have been fetched, or be so old that they name versions that are gone.
    run(&["update", "-qq"]).await?;
    let install = [&INSTALL[..], &[package]].concat();
    let rehearsed = run(&[&["--simulate"], &install[..]].concat()).await?;
    if touches(&rehearsed) {
        return Err(SystemError::WouldTouch(package));
    }
    run(&install).await.map(drop)
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

/// Whether a rehearsal installs a package in the place of another version, or removes one: `Inst NAME [OLD] (NEW …)`.
fn touches(rehearsed: &str) -> bool {
    rehearsed.lines().any(|line| {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("Inst") => words.nth(1).is_some_and(|word| word.starts_with('[')),
            Some("Remv") => true,
            _ => false,
        }
    })
}

async fn run(arguments: &[&str]) -> Result<String, SystemError> {
    let mut command = program::command("apt-get", arguments);
    command.env("DEBIAN_FRONTEND", "noninteractive");
    program::printed(command).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rehearsal_that_upgrades_or_removes_is_told_from_one_that_only_adds() {
        let adds = "Inst wrk (4.1.0-3 Debian:12/stable [amd64])\nConf wrk (4.1.0-3)\n";
        assert!(!touches(adds));
        let upgrades = "Inst postgresql-17 [17.5-1] (17.6-1 Debian:13 [amd64])\n";
        assert!(touches(upgrades));
        assert!(touches(&format!("{adds}Remv libfoo [1.0]\n")));
    }

    #[test]
    fn the_command_upgrades_nothing() {
        assert!(command("wrk").starts_with("sudo apt-get install"));
        assert!(command("wrk").contains("--no-upgrade"));
    }
}
