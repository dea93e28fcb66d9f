//! What callers ask of the journal's thread, and the bounded queue to it.
//!
//! Bounded by jobs and by the bytes they carry: while the disk hangs, the dead jobs of callers who gave up stay queued. Reads
//! have a part of it, so that a crowd of readers keeps nobody from writing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use holdfast_wire::RequestOrder;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use uuid::Uuid;

use super::entry::{Batch, Row};
use super::error::JournalError;

/// So many jobs may wait.
pub(super) const JOBS: usize = 1024;
/// So many of them may be reads.
const READS: usize = JOBS / 4;
/// So many bytes of entries may wait.
const BYTES: usize = 32 << 20;

/// Where the answer goes. Closed when the caller gave up.
pub(super) type Reply<T> = oneshot::Sender<Result<T, JournalError>>;

/// One thing to do.
pub(super) enum Job {
    Read(Read),
    Write(Write),
}

/// Answered from the last commit.
pub(super) enum Read {
    Find(Uuid, Reply<Option<Row>>),
    FindAll(Vec<Uuid>, Reply<Vec<Row>>),
    FindKey(String, Reply<Option<Row>>),
    Oldest(Batch, Reply<Vec<Row>>),
    /// With an end, without, or either; at most so many.
    Page(Option<bool>, RequestOrder, usize, Reply<(u64, Vec<Row>)>),
}

/// Answered after the commit that carries it.
pub(super) enum Write {
    Append(Append),
    Remove(Vec<Uuid>, Reply<()>),
}

/// An entry on its way to the file.
pub(super) struct Append {
    pub(super) id: Uuid,
    pub(super) key: Option<String>,
    pub(super) ended: bool,
    pub(super) json: Carried,
    /// The entry that stands instead, if one does.
    pub(super) reply: Reply<Option<Row>>,
}

/// Bytes that count against the queue's bound while they live.
pub(super) struct Carried {
    bytes: Vec<u8>,
    total: Arc<AtomicUsize>,
}

impl Carried {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Carried {
    fn drop(&mut self) {
        self.total.fetch_sub(self.bytes.len(), Ordering::Relaxed);
    }
}

/// The callers' end. Clones share the bounds.
#[derive(Clone)]
pub(super) struct Queue {
    jobs: Sender<Queued>,
    reads: Arc<Semaphore>,
    total: Arc<AtomicUsize>,
}

/// The thread's end.
pub(super) struct Jobs(Receiver<Queued>);

/// A job, and a read's place until the thread has it.
type Queued = (Job, Option<OwnedSemaphorePermit>);

impl Jobs {
    /// The next one; `None` when no caller is left.
    pub(super) async fn recv(&mut self) -> Option<Job> {
        self.0.recv().await.map(|(job, _)| job)
    }

    /// One that is there already.
    pub(super) fn try_recv(&mut self) -> Option<Job> {
        self.0.try_recv().ok().map(|(job, _)| job)
    }
}

impl Queue {
    /// The callers' end and the thread's.
    pub(super) fn new() -> (Self, Jobs) {
        let (jobs, receiver) = channel(JOBS);
        let queue = Self {
            jobs,
            reads: Arc::new(Semaphore::new(READS)),
            total: Arc::default(),
        };
        (queue, Jobs(receiver))
    }

    /// Counts `bytes` in, unless that would be too many.
    pub(super) fn carry(&self, bytes: Vec<u8>) -> Result<Carried, JournalError> {
        // Made first: its drop takes back what is counted here, also when it is refused.
        let length = bytes.len();
        let before = self.total.fetch_add(length, Ordering::Relaxed);
        let total = Arc::clone(&self.total);
        let carried = Carried { bytes, total };
        if before + length > BYTES {
            return Err(JournalError::Busy);
        }
        Ok(carried)
    }

    /// Hands `job` over without waiting.
    pub(super) fn send(&self, job: Job) -> Result<(), JournalError> {
        let place = match &job {
            Job::Write(_) => None,
            Job::Read(_) => {
                let place = Arc::clone(&self.reads).try_acquire_owned();
                Some(place.map_err(|_| JournalError::Busy)?)
            }
        };
        self.jobs
            .try_send((job, place))
            .map_err(|error| match error {
                TrySendError::Full(_) => JournalError::Busy,
                TrySendError::Closed(_) => {
                    JournalError::Unavailable("the journal's thread does not run".to_owned())
                }
            })
    }
}

impl Job {
    /// Answers that it cannot be done.
    pub(super) fn refuse(self, error: JournalError) {
        match self {
            Self::Read(read) => read.refuse(error),
            Self::Write(write) => write.refuse(error),
        }
    }
}

// A caller who no longer waits for an answer needs none, so a reply that cannot be delivered is dropped.
impl Read {
    pub(super) fn refuse(self, error: JournalError) {
        match self {
            Self::Find(_, reply) | Self::FindKey(_, reply) => drop(reply.send(Err(error))),
            Self::FindAll(_, reply) | Self::Oldest(_, reply) => drop(reply.send(Err(error))),
            Self::Page(_, _, _, reply) => drop(reply.send(Err(error))),
        }
    }

    pub(super) fn is_abandoned(&self) -> bool {
        match self {
            Self::Find(_, reply) | Self::FindKey(_, reply) => reply.is_closed(),
            Self::FindAll(_, reply) | Self::Oldest(_, reply) => reply.is_closed(),
            Self::Page(_, _, _, reply) => reply.is_closed(),
        }
    }
}

impl Write {
    pub(super) fn refuse(self, error: JournalError) {
        match self {
            Self::Append(append) => drop(append.reply.send(Err(error))),
            Self::Remove(_, reply) => drop(reply.send(Err(error))),
        }
    }

    pub(super) fn is_abandoned(&self) -> bool {
        match self {
            Self::Append(append) => append.reply.is_closed(),
            Self::Remove(_, reply) => reply.is_closed(),
        }
    }

    /// How much it adds to a commit.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Append(append) => append.json.bytes().len(),
            Self::Remove(..) => 0,
        }
    }
}
