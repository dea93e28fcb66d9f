//! A disk in memory that hangs, fills up, or loses power, as a test says.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use fastrand::Rng;
use redb::StorageBackend;

use super::super::error::StorageFault;
use super::super::files::Files;

/// A kind of call to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Write,
    SetLen,
    Sync,
}

#[derive(Debug, Clone)]
enum Op {
    Write(u64, Vec<u8>),
    SetLen(u64),
}

impl Op {
    fn apply(&self, image: &mut Vec<u8>) {
        match self {
            Self::SetLen(length) => image.resize(usize::try_from(*length).unwrap(), 0),
            Self::Write(at, bytes) => {
                let at = usize::try_from(*at).unwrap();
                // Its set_len was lost with the power.
                if image.len() < at + bytes.len() {
                    image.resize(at + bytes.len(), 0);
                }
                image[at..at + bytes.len()].copy_from_slice(bytes);
            }
        }
    }
}

/// What a power cut does to what was not synced.
#[derive(Debug, Clone, Copy)]
pub(super) enum Unsynced {
    /// All of it is gone.
    Dropped,
    /// Each write may have reached the disk, or not.
    Any,
}

#[derive(Debug, Default)]
struct State {
    /// As a reader sees it.
    image: Vec<u8>,
    /// As of the last sync.
    durable: Vec<u8>,
    unsynced: Vec<Op>,
    calls: u64,
    /// Power goes at this call.
    cut: Option<(u64, Unsynced, u64)>,
    dead: bool,
    /// Syncs return without syncing.
    lies: bool,
    hung: bool,
    /// These calls find the disk full, unless the ballast is out.
    full: Option<Call>,
    ballast: bool,
    /// No longer than this, whatever else there is.
    longest: Option<u64>,
    panics: bool,
}

/// Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk(Arc<(Mutex<State>, Condvar)>);

impl Disk {
    pub(super) fn with_image(image: Vec<u8>) -> Self {
        let disk = Self::default();
        disk.state().durable.clone_from(&image);
        disk.state().image = image;
        disk
    }

    pub(super) fn cut_after(&self, calls: u64, unsynced: Unsynced, seed: u64) {
        let mut state = self.state();
        state.cut = Some((state.calls + calls, unsynced, seed));
    }

    pub(super) fn is_dead(&self) -> bool {
        self.state().dead
    }

    /// What is on it once the power is back.
    pub(super) fn durable(&self) -> Vec<u8> {
        self.state().durable.clone()
    }

    pub(super) fn lie(&self) {
        self.state().lies = true;
    }

    pub(super) fn hang(&self, hung: bool) {
        self.state().hung = hung;
        self.0.1.notify_all();
    }

    pub(super) fn fill(&self, full: Option<Call>) {
        self.state().full = full;
    }

    pub(super) fn grow_no_longer_than(&self, longest: u64) {
        self.state().longest = Some(longest);
    }

    pub(super) fn panic_at_next_sync(&self) {
        self.state().panics = true;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap()
    }

    fn change(&self, call: Call, op: Option<Op>) -> Result<(), io::Error> {
        let mut state = self.state();
        while state.hung && call == Call::Sync {
            state = self.0.1.wait(state).unwrap();
        }
        state.calls += 1;
        if let Some((_, unsynced, seed)) = state.cut.filter(|cut| state.calls >= cut.0) {
            state.cut(unsynced, seed);
        }
        if state.dead {
            return Err(io::Error::other("no power"));
        }
        let too_long = matches!((&op, state.longest), (Some(Op::SetLen(length)), Some(longest)) if *length > longest);
        if too_long || (state.full == Some(call) && state.ballast) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if call == Call::Sync && std::mem::take(&mut state.panics) {
            drop(state);
            panic!("as the test wants it");
        }
        match op {
            Some(op) => {
                op.apply(&mut state.image);
                state.unsynced.push(op);
            }
            None if state.lies => {}
            None => {
                let ops = std::mem::take(&mut state.unsynced);
                ops.iter().for_each(|op| op.apply(&mut state.durable));
            }
        }
        Ok(())
    }
}

impl State {
    fn cut(&mut self, unsynced: Unsynced, seed: u64) {
        if std::mem::replace(&mut self.dead, true) {
            return;
        }
        let mut rng = Rng::with_seed(seed);
        for op in std::mem::take(&mut self.unsynced) {
            if matches!(unsynced, Unsynced::Any) && rng.bool() {
                op.apply(&mut self.durable);
            }
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, io::Error> {
        Ok(self.state().image.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        let state = self.state();
        let from = usize::try_from(offset).unwrap();
        let bytes = state.image.get(from..from + out.len());
        let bytes = bytes.ok_or(io::Error::from(io::ErrorKind::UnexpectedEof))?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, length: u64) -> Result<(), io::Error> {
        self.change(Call::SetLen, Some(Op::SetLen(length)))
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        self.change(Call::Sync, None)
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        self.change(Call::Write, Some(Op::Write(offset, data.to_vec())))
    }
}

impl Files for Disk {
    type Backend = Self;

    fn open(&mut self) -> Result<Self, StorageFault> {
        Ok(self.clone())
    }

    fn release(&mut self) -> io::Result<()> {
        self.state().ballast = false;
        Ok(())
    }

    fn refill(&mut self) -> io::Result<()> {
        let mut state = self.state();
        if state.full.is_some() && !state.ballast {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.ballast = true;
        Ok(())
    }

    fn name(&self) -> String {
        "a disk in memory".to_owned()
    }
}
