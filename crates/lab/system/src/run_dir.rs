//! The temporary folder of a command that brings services of its own (`torture`, `bench`, `run`, `observe-check`), with a
//! record of whose it is: SIGKILL leaves a command no time to end what it started, so the next one does.

use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::process::geteuid;
use tempfile::TempDir;

use crate::error::SystemError;
use crate::files::write_json;
use crate::output::Console;
use crate::process::{Identity, ProcessTree};
use crate::settings::Settings;
use crate::stage::Local;

const PREFIX: &str = "holdfast-";
const RECORD: &str = "owner.json";
/// The lab among them: it stands in for a worker.
const PROGRAMS: [&str; 4] = ["holdfast-api", "holdfast-worker", "prometheus", "lab"];

/// A folder that is deleted with this value, unless it is kept.
#[derive(Debug)]
pub struct RunDir {
    folder: TempDir,
}

impl RunDir {
    /// Ends what commands that were killed have left, then makes `holdfast-KIND-…`.
    pub async fn make(
        kind: &str,
        settings: &Settings,
        console: Console,
    ) -> Result<Self, SystemError> {
        let parent = env::temp_dir();
        end_stale(settings, console).await;
        let folder = tempfile::Builder::new()
            .prefix(&format!("{PREFIX}{kind}-"))
            .tempdir_in(&parent)
            .map_err(SystemError::file("make a folder in", parent))?;
        let record = folder.path().join(RECORD);
        let written = write_json(&record, &Identity::own());
        written.map_err(SystemError::file("write", record))?;
        Ok(Self { folder })
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Leaves it, with what it tells of a system that did not start.
    pub fn left_by(mut self, error: SystemError) -> SystemError {
        self.keep();
        SystemError::NotStarted {
            error: Box::new(error),
            folder: self.path().to_owned(),
        }
    }

    /// Leaves it for whoever wants to look into it: from now on it is nobody's, and nobody deletes it.
    pub fn keep(&mut self) {
        self.folder.disable_cleanup(true);
        let _ = fs::remove_file(self.path().join(RECORD));
    }
}

/// Ends what commands that were killed have left.
pub async fn end_stale(settings: &Settings, console: Console) {
    reap_all(&env::temp_dir(), settings, console).await;
}

/// Ends and deletes what is recorded as the property of a command that is dead. What cannot be ended is left.
async fn reap_all(parent: &Path, settings: &Settings, console: Console) {
    for item in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = item.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(PREFIX) && is_stale(&item.path()) {
            console.say(format_args!("ending what a killed command left in {name}"));
            reap(&item.path(), settings, console).await;
        }
    }
}

/// Whether it is a folder of ours, and its owner dead. In a place where all may write, a stranger's record says nothing. Nor does a
/// record where not even this process is seen to live: then nobody is.
fn is_stale(folder: &Path) -> bool {
    if !Identity::own().is_some_and(|own| own.is_alive()) {
        return false;
    }
    let ours = fs::symlink_metadata(folder)
        .is_ok_and(|found| found.is_dir() && found.uid() == geteuid().as_raw());
    let owner = || -> Option<Identity> {
        serde_json::from_slice(&fs::read(folder.join(RECORD)).ok()?).ok()
    };
    ours && owner().is_some_and(|owner| !owner.is_alive())
}

async fn reap(folder: &Path, settings: &Settings, console: Console) {
    // Whatever `bench` or `observe-check` had as a stage.
    let stage = Local::new(settings, folder.to_owned(), console);
    let mut ended = stage.down().await.is_ok();
    for home in homes(folder) {
        for program in PROGRAMS {
            let tree = ProcessTree::new(home.clone(), program);
            ended &= tree.kill().await.is_ok();
        }
    }
    if ended {
        let _ = fs::remove_dir_all(folder);
    }
}

/// The folders in which services live, as the kernel names them: in the command's, or in those of its several systems.
fn homes(folder: &Path) -> Vec<PathBuf> {
    let folders = |folder: &Path| -> Vec<PathBuf> {
        let items = fs::read_dir(folder).into_iter().flatten().flatten();
        let named = items.filter_map(|item| item.path().canonicalize().ok());
        named.filter(|path| path.is_dir()).collect()
    };
    let mut all = folders(folder);
    for own in all.clone() {
        all.extend(folders(&own));
    }
    all
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use holdfast_ops::Environment;

    use super::*;

    fn settings() -> Settings {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        Settings::read(&Environment::default(), here).unwrap()
    }

    fn folder(parent: &Path, name: &str, owner: &str) -> PathBuf {
        let folder = parent.join(name);
        fs::create_dir_all(folder.join("worker")).unwrap();
        fs::write(folder.join(RECORD), owner).unwrap();
        folder
    }

    #[tokio::test]
    async fn what_a_dead_owner_left_is_ended_and_deleted_and_nothing_else() {
        const DEAD: &str = r#"{"pid":1,"started":"never"}"#;
        let parent = tempfile::tempdir().unwrap();
        let stale = folder(parent.path(), "holdfast-torture-a", DEAD);
        let living = serde_json::to_string(&Identity::own()).unwrap();
        let others = [
            folder(parent.path(), "holdfast-torture-b", &living),
            folder(parent.path(), "holdfast-bench-c", "nonsense"),
            folder(parent.path(), "elsewhere", DEAD),
        ];
        let program = parent.path().join("holdfast-worker");
        // No copy: one that is still open for writing, in a child of another test, cannot be started.
        std::os::unix::fs::symlink("/bin/sleep", &program).unwrap();
        let mut orphan = Command::new(program);
        orphan.arg("60").current_dir(stale.join("worker"));
        let mut orphan = orphan.spawn().unwrap();
        let console = Console::new(&Environment::default());
        reap_all(parent.path(), &settings(), console).await;
        assert!(!orphan.wait().unwrap().success());
        assert!(!stale.exists());
        assert!(others.iter().all(|folder| folder.join("worker").exists()));
    }

    #[tokio::test]
    async fn a_kept_folder_is_nobodys() {
        let console = Console::new(&Environment::default());
        let made = RunDir::make("torture", &settings(), console).await;
        let mut folder = made.unwrap();
        assert!(folder.path().join(RECORD).exists());
        folder.keep();
        let path = folder.path().to_owned();
        drop(folder);
        assert!(path.exists() && !is_stale(&path));
        fs::remove_dir_all(path).unwrap();
    }
}
