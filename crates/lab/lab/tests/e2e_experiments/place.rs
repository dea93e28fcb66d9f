//! Where a test's `lab` works, apart from all others.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::{Instant, sleep};

const CLEANED_WITHIN: Duration = Duration::from_secs(15);

/// A folder for experiments, and for all that the lab and its services write.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            // Postgres runs as another user, who must get through.
            folder: tempfile::Builder::new()
                .permissions(fs::Permissions::from_mode(0o755))
                .tempdir()
                .unwrap(),
        }
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// A `lab` whose temporary folders are in this place, so that nobody else's are taken for its own.
    pub(crate) fn lab(&self, arguments: &[&str]) -> Command {
        let temporary = self.folder.path().join("tmp");
        fs::create_dir_all(&temporary).unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(3)
            .unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
        command
            .args(arguments)
            .current_dir(root)
            .env("STAGE", "local")
            .env("HOLDFAST_RESULTS", self.folder.path().join("results"))
            .env(
                "HOLDFAST_BINARIES",
                std::env::var_os("HOLDFAST_BINARIES").unwrap(),
            )
            .env("TMPDIR", temporary)
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.lab(arguments).output().unwrap()
    }

    /// Pids of all processes that live in this place, or were told about it: the services, Postgres, the guard.
    pub(crate) fn processes(&self) -> Vec<i32> {
        let place = self.folder.path().to_string_lossy().into_owned();
        let is_here = |process: &Path| {
            let home = fs::read_link(process.join("cwd")).unwrap_or_default();
            home.to_string_lossy().starts_with(&place)
        };
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let processes = processes.filter(|process| is_here(&process.path()));
        processes
            .filter_map(|process| process.file_name().to_str()?.parse().ok())
            .collect()
    }

    pub(crate) async fn is_empty_soon(&self) {
        let deadline = Instant::now() + CLEANED_WITHIN;
        while !self.processes().is_empty() {
            assert!(
                Instant::now() < deadline,
                "still there: {:?}",
                self.processes()
            );
            sleep(Duration::from_millis(100)).await;
        }
    }
}
