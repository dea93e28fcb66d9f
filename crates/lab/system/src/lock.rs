//! Files that are locked: one process at a time has what they stand for, and its end gives it back.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use crate::error::SystemError;

/// None: another process has it. Dropping the file gives it back.
pub(crate) fn try_take(folder: &Path, name: &str) -> Result<Option<File>, SystemError> {
    fs::create_dir_all(folder).map_err(SystemError::file("make", folder))?;
    let path = folder.join(name);
    let file = File::options().create(true).append(true).open(&path);
    let file = file.map_err(SystemError::file("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(SystemError::file("lock", path)(error)),
    }
}
