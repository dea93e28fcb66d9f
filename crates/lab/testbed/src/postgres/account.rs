//! Whom the server runs as: the caller, or, since Postgres refuses root, somebody without rights.

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::geteuid;
use tokio::process::Command;

use super::PostgresError;
use crate::files::deleted;

/// Postgres' own user where the distribution made one, else the traditional nobody.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

#[derive(Debug, Clone, Copy)]
pub(super) struct Account {
    pub(super) uid: u32,
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

    /// Where temporary folders go: TMPDIR, unless it is closed to the account (one under /root, say).
    pub(super) async fn temporary_folder(&self) -> PathBuf {
        let wanted = env::temp_dir();
        match self.can_enter(&wanted).await {
            true => wanted,
            false => PathBuf::from("/tmp"),
        }
    }

    /// Makes a new folder in `parent`, named after `prefix`, for the account alone.
    pub(super) fn new_folder(&self, parent: &Path, prefix: &str) -> Result<PathBuf, PostgresError> {
        let mut folder = tempfile::Builder::new();
        folder.prefix(prefix);
        folder.permissions(Permissions::from_mode(0o700));
        let folder = folder.tempdir_in(parent);
        let folder = folder.map_err(PostgresError::folder("make a folder in", parent))?;
        let folder = folder.keep();
        self.own(&folder)?;
        Ok(folder)
    }

    pub(super) fn own(&self, path: &Path) -> Result<(), PostgresError> {
        let Some(gid) = self.gid else { return Ok(()) };
        chown(path, Some(self.uid), Some(gid)).map_err(PostgresError::folder("hand over", path))
    }

    /// Whether it can get into a folder, through all the folders above.
    pub(super) async fn can_enter(&self, folder: &Path) -> bool {
        let mut command = self.command("/bin/sh");
        command.args(["-c", "cd \"$0\""]).arg(folder);
        let status = command.stderr(Stdio::null()).status().await;
        status.is_ok_and(|status| status.success())
    }

    /// Whether a folder is its own and closed to everybody else.
    pub(super) fn alone_owns(&self, folder: &Path) -> bool {
        let metadata = folder.symlink_metadata();
        metadata.is_ok_and(|it| it.is_dir() && it.uid() == self.uid && it.mode() & 0o077 == 0)
    }
}

/// Deletes a folder with all it holds; one that is not there is fine.
pub(super) fn delete(folder: &Path) -> Result<(), PostgresError> {
    let deleted = deleted(fs::remove_dir_all(folder)).map(drop);
    deleted.map_err(PostgresError::folder("delete", folder))
}

/// Whether a program is where any account looks for them.
pub(super) fn finds(program: &str) -> bool {
    env::split_paths(PATH).any(|folder| folder.join(program).is_file())
}

async fn id(option: &str, name: &str) -> Option<u32> {
    let output = Command::new("id").args([option, name]).output().await;
    let output = output.ok().filter(|output| output.status.success())?;
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}
