//! One command at a time changes the stage.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::time::Duration;

use tokio::time::sleep;

use crate::error::SystemError;
use crate::output::Console;

const POLL: Duration = Duration::from_millis(100);

/// Waits until no other command holds the stage; dropping the file gives it back, and so does the end of the process.
pub(super) async fn take(folder: &Path, console: &Console) -> Result<File, SystemError> {
    fs::create_dir_all(folder).map_err(SystemError::file("make", folder))?;
    let path = folder.join("lock");
    let file = File::options()
        .create(true)
        .append(true)
        .open(&path)
        .map_err(SystemError::file("open", &path))?;
    let mut said = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(SystemError::file("lock", path)(error)),
            Err(TryLockError::WouldBlock) => {
                if !said {
                    console.say("waiting for another lab command to finish");
                    said = true;
                }
                sleep(POLL).await;
            }
        }
    }
}
