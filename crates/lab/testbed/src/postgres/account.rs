//! Whom the server runs as: the caller, or, since Postgres refuses root, somebody without rights.

use std::env;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::process::Stdio;

use rustix::process::geteuid;
use tokio::process::Command;

use super::PostgresError;

/// Postgres' own user where the distribution made one, else the traditional nobody.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

/// Where programs are looked for.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// An account that may run Postgres.
#[derive(Debug, Clone, Copy)]
pub(super) struct Account {
    uid: u32,
    /// Another account's group, to be changed to; none: the caller's own account.
    gid: Option<u32>,
}

impl Account {
    pub(super) async fn choose() -> Result<Self, PostgresError> {
        let own = geteuid();
        if !own.is_root() {
            return Ok(Self {
                uid: own.as_raw(),
                gid: None,
            });
        }
        for name in CANDIDATES {
            if let (Some(uid), gid @ Some(_)) = (id("-u", name).await, id("-g", name).await) {
                return Ok(Self { uid, gid });
            }
        }
        Err(PostgresError::NoAccount)
    }

    pub(super) fn uid(&self) -> u32 {
        self.uid
    }

    /// A command that will run as this account, and end with the future that waits for it.
    pub(super) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        if let Some(gid) = self.gid {
            command.uid(self.uid).gid(gid);
        }
        // The server's messages are searched for causes, and the caller's PG* variables are not meant for it.
        command.env_clear().env("LC_ALL", "C").env("PATH", PATH);
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// Hands `path` over.
    pub(super) fn own(&self, path: &Path) -> Result<(), PostgresError> {
        let Some(gid) = self.gid else { return Ok(()) };
        chown(path, Some(self.uid), Some(gid)).map_err(PostgresError::folder("hand over", path))
    }

    /// Whether it can get into a folder, through all the folders above.
    pub(super) async fn can_enter(&self, folder: &Path) -> bool {
        let mut command = self.command("/bin/sh");
        let status = command
            .args(["-c", "cd \"$0\""])
            .arg(folder)
            .stderr(Stdio::null())
            .status();
        status.await.is_ok_and(|status| status.success())
    }

    /// Whether a folder is its own and closed to everybody else.
    pub(super) fn alone_owns(&self, folder: &Path) -> bool {
        let metadata = folder.symlink_metadata();
        metadata.is_ok_and(|it| it.is_dir() && it.uid() == self.uid && it.mode() & 0o077 == 0)
    }
}

/// Whether a program is where any account looks for them.
pub(super) fn finds(program: &str) -> bool {
    env::split_paths(PATH).any(|folder| folder.join(program).is_file())
}

async fn id(option: &str, name: &str) -> Option<u32> {
    let output = Command::new("id")
        .args([option, name])
        .output()
        .await
        .ok()?;
    output.status.success().then_some(())?;
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}
