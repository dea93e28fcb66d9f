//! Folders that the server's account can use.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use super::PostgresError;
use super::account::Account;

/// Where temporary folders go: TMPDIR, unless it is closed to the server's account (one under /root, say).
pub(super) async fn temporary(account: &Account) -> PathBuf {
    let wanted = env::temp_dir();
    if account.can_enter(&wanted).await {
        wanted
    } else {
        PathBuf::from("/tmp")
    }
}

/// Makes a new folder in `parent`, named after `prefix`, for the account alone.
pub(super) fn create(
    account: &Account,
    parent: &Path,
    prefix: &str,
) -> Result<PathBuf, PostgresError> {
    let folder = tempfile::Builder::new()
        .prefix(prefix)
        .permissions(fs::Permissions::from_mode(0o700))
        .tempdir_in(parent)
        .map_err(PostgresError::folder("make a folder in", parent))?
        .keep();
    account.own(&folder)?;
    Ok(folder)
}

/// Deletes a folder with all it holds; one that is not there is fine.
pub(super) fn delete(folder: &Path) -> Result<(), PostgresError> {
    deleted(fs::remove_dir_all(folder), folder)
}

/// Deletes a file; one that is not there is fine.
pub(super) fn delete_file(file: &Path) -> Result<(), PostgresError> {
    deleted(fs::remove_file(file), file)
}

fn deleted(result: io::Result<()>, path: &Path) -> Result<(), PostgresError> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(PostgresError::folder("delete", path)(error))
        }
        _ => Ok(()),
    }
}
