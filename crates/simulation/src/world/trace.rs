//! What happened, in order: hashed, so that two runs can be told to be the same, and kept, so that one can be read.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

/// One thing that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// Virtual microseconds since the start.
    pub(crate) at: u64,
    /// The replica, from 0; 255: the world.
    pub(crate) replica: u8,
    /// What it was.
    pub(crate) what: &'static str,
    /// The request's number; 0: none.
    pub(crate) request: u64,
    /// What came of it, by the word's own measure.
    pub(crate) detail: u64,
}

/// What the world does by itself.
pub(crate) const WORLD: u8 = 255;

/// All of it. Clones share it.
#[derive(Clone)]
pub struct Trace {
    start: Instant,
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    hash: u64,
    events: Vec<Event>,
}

impl Trace {
    /// Begins now.
    #[must_use]
    pub fn begin() -> Self {
        Self {
            start: Instant::now(),
            shared: Arc::new(Mutex::new(Shared {
                hash: 0xcbf2_9ce4_8422_2325,
                events: Vec::with_capacity(4096),
            })),
        }
    }

    /// Virtual microseconds since the start.
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Notes that this happened now.
    pub(crate) fn note(&self, replica: u8, what: &'static str, request: u64, detail: u64) {
        let event = Event {
            at: self.now(),
            replica,
            what,
            request,
            detail,
        };
        let mut shared = self.lock();
        for word in [event.at, u64::from(replica), request, detail] {
            shared.hash = mixed(shared.hash, word);
        }
        for byte in what.bytes() {
            shared.hash = mixed(shared.hash, u64::from(byte));
        }
        shared.events.push(event);
    }

    /// What identifies the run.
    pub(crate) fn hash(&self) -> u64 {
        self.lock().hash
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().events.len()
    }

    /// Shows `look` each event, in order.
    pub(crate) fn each(&self, mut look: impl FnMut(&Event)) {
        self.lock().events.iter().for_each(&mut look);
    }

    /// Whether a statement about `request` was answered between `since` and the answer that was told at `until`. An instant holds
    /// many events: what came after that answer was not known to it.
    pub(crate) fn reached_postgres(&self, request: u64, since: u64, until: u64) -> bool {
        let statements = ["insert", "insert keyed", "finish", "record whole", "look"];
        let is_told = |event: &&Event| event.what == "told" && event.at == until;
        let reached = |event: &Event| {
            event.detail == 1
                && (since..=until).contains(&event.at)
                && statements.contains(&event.what)
        };
        let shared = self.lock();
        let its = shared.events.iter().filter(|it| it.request == request);
        its.take_while(|event| !is_told(event)).any(reached)
    }

    /// What happened to `request`, and what the world did meanwhile.
    pub(crate) fn of(&self, request: u64) -> Vec<Event> {
        let shared = self.lock();
        let concerns = |event: &&Event| event.request == request || event.replica == WORLD;
        shared.events.iter().filter(concerns).copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// FNV-1a, a word at a time.
fn mixed(hash: u64, word: u64) -> u64 {
    (hash ^ word)
        .wrapping_mul(0x0000_0100_0000_01b3)
        .rotate_left(5)
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, micros) = (self.at / 1_000_000, self.at % 1_000_000);
        write!(f, "{seconds:>4}.{micros:06} s  ")?;
        match self.replica {
            WORLD => write!(f, "world      ")?,
            replica => write!(f, "replica {replica}  ")?,
        }
        write!(f, "{}", self.what)?;
        if self.request > 0 {
            write!(f, " request {}", self.request)?;
        }
        write!(f, " ({})", self.detail)
    }
}
