//! The journal's folder: the lock that keeps other processes out, the file, and the ballast.
//!
//! - `journal.redb` comes into being whole, by renaming: a power cut leaves none or a good one, never half of one.
//! - `lock` is locked for the life of the process, also while the file is closed and opened again.
//! - `ballast` is space put by: removing entries needs space too, so that on a full disk nothing could be removed.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use redb::StorageBackend;
use tokio::time::Instant;

use super::error::{FaultKind, StorageFault};
use super::preallocated_file::PreallocatedFile;
use super::tables::Tables;

const BALLAST: usize = 2 << 20;
const LOCK_PAUSE: Duration = Duration::from_millis(25);

/// Where the journal lies. Tests put faults under the store here.
pub trait Files: Send + 'static {
    /// What the store reads and writes.
    type Backend: StorageBackend;

    /// Takes possession, and opens the file for the store.
    fn open(&mut self) -> Result<Self::Backend, StorageFault>;
    /// Gives the ballast's space to the file.
    fn release(&mut self) -> io::Result<()>;
    /// Puts the ballast's space by again. On an error none of it is taken.
    fn refill(&mut self) -> io::Result<()>;
    /// The file's name, for the log.
    fn name(&self) -> String;
}

/// Whether `folder` holds a journal, from now or from before.
#[must_use]
pub(crate) fn holds_a_journal(folder: &Path) -> bool {
    Folder::new(folder, Duration::ZERO).file().exists()
}

/// A folder on disk.
pub(super) struct Folder {
    path: PathBuf,
    lock: Option<File>,
    /// How long a predecessor that is on its way out may still hold the lock.
    lock_wait: Duration,
}

impl Folder {
    pub(super) fn new(path: &Path, lock_wait: Duration) -> Self {
        Self {
            path: path.to_owned(),
            lock: None,
            lock_wait,
        }
    }

    pub(super) fn file(&self) -> PathBuf {
        self.path.join("journal.redb")
    }

    pub(super) fn take(&mut self) -> Result<(), StorageFault> {
        make(&self.path).map_err(|error| StorageFault::with_folder(&error))?;
        if self.lock.is_none() {
            let file = options()
                .create(true)
                .truncate(false)
                .open(self.path.join("lock"))
                .map_err(|error| StorageFault::with_folder(&error))?;
            lock(&file, self.lock_wait)?;
            self.lock = Some(file);
        }
        Ok(())
    }

    /// Makes a new file under another name, and gives it its own when it is whole and durable.
    fn begin(&self, file: &Path) -> Result<(), StorageFault> {
        let draft = self.path.join("journal.redb.new");
        let begun = options().create(true).truncate(true).open(&draft);
        let begun = begun.map_err(|error| StorageFault::with_folder(&error))?;
        drop(Tables::open(PreallocatedFile::new(begun))?);
        fs::rename(&draft, file)
            .and_then(|()| sync(&self.path))
            .map_err(|error| StorageFault::with_folder(&error))
    }

    fn ballast(&self) -> PathBuf {
        self.path.join("ballast")
    }
}

impl Files for Folder {
    type Backend = PreallocatedFile;

    fn open(&mut self) -> Result<PreallocatedFile, StorageFault> {
        self.take()?;
        let path = self.file();
        let is_there = path.try_exists();
        if !is_there.map_err(|error| StorageFault::with_folder(&error))? {
            self.begin(&path)?;
        }
        let file = options().open(&path);
        file.map(PreallocatedFile::new)
            .map_err(|error| StorageFault::with_folder(&error))
    }

    fn release(&mut self) -> io::Result<()> {
        match fs::remove_file(self.ballast()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            // The space is free only once the removal is on disk.
            _ => sync(&self.path),
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        let path = self.ballast();
        if fs::metadata(&path).is_ok_and(|file| file.len() == BALLAST as u64) {
            return Ok(());
        }
        let written = fill(&path).and_then(|()| sync(&self.path));
        if written.is_err() {
            let _ = fs::remove_file(&path);
        }
        written
    }

    fn name(&self) -> String {
        self.file().display().to_string()
    }
}

/// Others on this machine need not read what clients sent.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}

fn lock(file: &File, wait: Duration) -> Result<(), StorageFault> {
    let until = Instant::now() + wait;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if Instant::now() < until => {
                std::thread::park_timeout(LOCK_PAUSE);
            }
            Err(TryLockError::WouldBlock) => break,
            Err(TryLockError::Error(error)) => return Err(StorageFault::with_folder(&error)),
        }
    }
    Err(StorageFault {
        kind: FaultKind::InUse,
        detail: "its lock is held".to_owned(),
    })
}

/// Real blocks: a file of holes or of zeros may take none.
fn fill(path: &Path) -> io::Result<()> {
    let mut file = options().create(true).truncate(true).open(path)?;
    let block: Vec<u8> = (0..BALLAST as u64)
        .map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8)
        .collect();
    file.write_all(&block)?;
    file.sync_all()
}

/// Makes `folder` and what is missing above it, each durable in the one above.
fn make(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = match folder.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return Err(io::ErrorKind::NotADirectory.into()),
    };
    make(parent)?;
    match DirBuilder::new().create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists || !folder.is_dir() => {
            Err(error)
        }
        _ => sync(parent),
    }
}

/// Until its folder is on disk too, a file that was made, renamed or removed may come out otherwise after a power cut.
pub(super) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
