//! A Python environment of the lab's own, with a program from PyPI in it.

use std::fs;
use std::path::{Path, PathBuf};

use holdfast_system::error::SystemError;

use crate::debian;
use crate::output::Console;
use crate::program;
use crate::settings::Settings;

/// Its folder. It outlives a command: installing takes up to half a minute.
pub(super) struct Python(PathBuf);

impl Python {
    /// The environment `name`, in which `requirement` is installed unless this version is there.
    pub(super) async fn with(
        requirement: &str,
        name: &str,
        settings: &Settings,
        console: Console,
    ) -> Result<Self, SystemError> {
        let home = settings.folder().join(name);
        let installed = home.join("requirement");
        if !fs::read_to_string(&installed).is_ok_and(|version| version == requirement) {
            console.say(format_args!(
                "installing {requirement} in {}",
                home.display()
            ));
            make_environment(&home, settings).await?;
            let quiet = [
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                requirement,
            ];
            let pip = program::command(home.join("bin/python"), quiet);
            program::printed(pip).await?;
            fs::write(&installed, requirement).map_err(SystemError::file("write", &installed))?;
        }
        Ok(Self(home))
    }

    /// One of its programs.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.0.join("bin").join(name)
    }
}

/// Debian has the module that makes environments in a package of its own.
async fn make_environment(home: &Path, settings: &Settings) -> Result<String, SystemError> {
    let arguments = [
        "-m".as_ref(),
        "venv".as_ref(),
        "--clear".as_ref(),
        home.as_os_str(),
    ];
    match program::printed(program::command("python3", arguments)).await {
        Err(_) if debian::can_install(settings) => {
            debian::install("python3-venv", settings).await?;
            program::printed(program::command("python3", arguments)).await
        }
        other => other,
    }
}
