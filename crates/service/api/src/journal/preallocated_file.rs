//! The file as the store sees it: its whole length is really on disk.
//!
//! A file that is merely long is full of holes, and on a full disk a write into a hole fails. So the space is claimed
//! when the file grows: growing may fail for want of space, while writing into what is there, and so removing
//! entries, recording ends and opening the file again, does not. (Where the file system cannot claim space, or writes
//! everything anew, there is still the ballast.)

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use redb::StorageBackend;
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

/// A file without holes. It has no locks of its own: the folder's lock keeps others out.
#[derive(Debug)]
pub(super) struct PreallocatedFile(File);

impl PreallocatedFile {
    /// Over `file`, open for reading and writing.
    pub(super) fn new(file: File) -> Self {
        Self(file)
    }
}

impl StorageBackend for PreallocatedFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read_exact_at(out, offset)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let before = self.len()?;
        if length > before {
            match fallocate(&self.0, FallocateFlags::empty(), before, length - before) {
                Ok(()) => return Ok(()),
                Err(Errno::OPNOTSUPP | Errno::NOSYS) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.0.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write_all_at(data, offset)
    }
}
