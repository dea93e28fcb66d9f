//! A model of a replica's disk: what was not synced is gone with the power, and it hangs, fills up and fails as it is told.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use holdfast_api::embedded::{Files, StorageFault};
use redb::StorageBackend;

use super::gate::Gate;

/// A disk. Clones are the same, in the same life of the replica.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    shared: Arc<Mutex<State>>,
    /// Shut while it hangs.
    pub(crate) door: Gate,
    life: u32,
}

#[derive(Debug, Default)]
struct State {
    /// As a reader sees it.
    image: Vec<u8>,
    /// As of the last sync.
    durable: Vec<u8>,
    /// What was written since: where, and how much.
    unsynced: Vec<(usize, usize)>,
    life: u32,
    full: bool,
    fails_once: bool,
    /// Says that it synced, and did not.
    lies: bool,
}

impl Disk {
    /// An empty one; one that `lies` syncs nothing.
    pub(crate) fn new(lies: bool) -> Self {
        let state = State {
            lies,
            ..State::default()
        };
        Self {
            shared: Arc::new(Mutex::new(state)),
            door: Gate::default(),
            life: 0,
        }
    }

    /// The power fails: the same disk for the replica's next life. What was not synced is there all the same if it was `lucky`.
    pub(crate) fn after_a_crash(&self, lucky: bool) -> Self {
        let mut state = self.lock();
        state.life += 1;
        if lucky && !state.lies {
            state.sync();
        } else {
            state.image = state.durable.clone();
            state.unsynced.clear();
        }
        Self {
            life: state.life,
            ..self.clone()
        }
    }

    /// Whether it has no space left.
    pub(crate) fn fill(&self, full: bool) {
        self.lock().full = full;
    }

    /// Its next sync fails.
    pub(crate) fn fail_once(&self) {
        self.lock().fails_once = true;
    }

    fn alive(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.lock();
        if state.life == self.life {
            Ok(state)
        } else {
            Err(io::Error::other("no power"))
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn sync(&mut self) {
        self.durable.resize(self.image.len(), 0);
        for (from, to) in self.unsynced.drain(..) {
            let to = to.min(self.image.len());
            if from < to {
                self.durable[from..to].copy_from_slice(&self.image[from..to]);
            }
        }
    }
}

fn place(offset: u64, length: usize) -> (usize, usize) {
    let from = usize::try_from(offset).unwrap_or(usize::MAX / 2);
    (from, from + length)
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.alive()?.image.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.alive()?;
        let (from, to) = place(offset, out.len());
        let bytes = state.image.get(from..to);
        out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut state = self.alive()?;
        let (length, _) = place(length, 0);
        if state.full && length > state.image.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let before = state.image.len();
        state.image.resize(length, 0);
        state.unsynced.push((before.min(length), length));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.alive()?;
        if std::mem::take(&mut state.fails_once) {
            return Err(io::Error::other("the disk fails"));
        }
        if !state.lies {
            state.sync();
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.alive()?;
        let (from, to) = place(offset, data.len());
        if state.image.len() < to {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        state.image[from..to].copy_from_slice(data);
        state.unsynced.push((from, to));
        Ok(())
    }
}

impl Files for Disk {
    type Backend = Self;

    fn open(&mut self) -> Result<Self, StorageFault> {
        let alive = self.alive().map(drop);
        alive.map_err(|error| StorageFault::with_folder(&error))?;
        Ok(self.clone())
    }

    fn release(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn refill(&mut self) -> io::Result<()> {
        if self.alive()?.full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn name(&self) -> String {
        "a disk of the simulation".to_owned()
    }
}
