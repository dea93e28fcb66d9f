//! What the journal's thread does while the file is open: answers reads, and commits writes in groups.

use tokio::time::{Instant, timeout};

use super::error::{FaultKind, JournalError, StorageFault};
use super::files::Files;
use super::queue::{JOBS, Job, Read, Reply, Write};
use super::tables::Tables;
use super::thread::{Thread, guarded};
use super::write::{Outcome, Room, Written, write};

/// What the thread turns to.
enum Next {
    Job(Job),
    BallastIsDue,
    NobodyIsLeft,
}

impl<F: Files> Thread<F> {
    /// Works until nobody is left to ask, or until the file fails.
    pub(super) async fn serve(&mut self) -> Result<(), StorageFault> {
        // One by one: what is too large for the space that is left must not take the others with it.
        while let Some(write) = self.again.pop_front() {
            self.commit(vec![write], false)?;
        }
        loop {
            match self.next().await {
                Next::Job(Job::Read(read)) => self.read(read)?,
                Next::Job(Job::Write(first)) => self.batch(first).await?,
                Next::BallastIsDue => self.ballast.refill(&mut self.files),
                Next::NobodyIsLeft => return Ok(()),
            }
        }
    }

    async fn next(&mut self) -> Next {
        let job = match self.ballast.refill_in(Instant::now()) {
            // Also when jobs never cease.
            Some(wait) if wait.is_zero() => return Next::BallastIsDue,
            Some(wait) => match timeout(wait, self.jobs.recv()).await {
                Ok(job) => job,
                Err(_) => return Next::BallastIsDue,
            },
            None => self.jobs.recv().await,
        };
        job.map_or(Next::NobodyIsLeft, Next::Job)
    }

    /// Commits `first` together with what comes soon after it. Reads are answered as they come.
    async fn batch(&mut self, first: Write) -> Result<(), StorageFault> {
        let mut bytes = first.size();
        let mut batch = vec![first];
        // A bound: reads without end must not put the commit off for ever.
        for _ in 0..JOBS {
            if self.group_commit.is_full(batch.len(), bytes) {
                break;
            }
            let wait = self.group_commit.wait(batch.len(), Instant::now());
            let job = if wait.is_zero() {
                self.jobs.try_recv()
            } else {
                timeout(wait, self.jobs.recv()).await.ok().flatten()
            };
            match job {
                Some(Job::Write(write)) => {
                    bytes += write.size();
                    batch.push(write);
                }
                Some(Job::Read(read)) => {
                    if let Err(fault) = self.read(read) {
                        refuse(batch, fault.kind);
                        return Err(fault);
                    }
                }
                None => break,
            }
        }
        self.commit(batch, true)
    }

    /// Commits `batch` and answers all of it. If the disk is full and it may be tried `once_more`, it is kept for that.
    fn commit(&mut self, batch: Vec<Write>, once_more: bool) -> Result<(), StorageFault> {
        let room = Room {
            max_bytes: self.max_bytes,
            closed: self.ballast.closed(),
        };
        let count = self.stats.count();
        let tables = opened(self.tables.as_ref())?;
        match guarded(|| Ok(write(tables.database(), count, room, &batch)?)) {
            Ok(written) => {
                self.committed(batch, written);
                Ok(())
            }
            Err(fault) => {
                if once_more && fault.kind == FaultKind::NoSpace {
                    self.again = batch.into();
                } else {
                    refuse(batch, fault.kind);
                }
                Err(fault)
            }
        }
    }

    fn committed(&mut self, batch: Vec<Write>, written: Written) {
        if written.changed {
            self.group_commit.committed(batch.len(), Instant::now());
            self.stats.committed(written.count, written.appended);
            self.failures = 0;
            if written.added {
                self.ballast.stored();
            }
        }
        for (write, outcome) in batch.into_iter().zip(written.outcomes) {
            if let Write::Remove(ids, _) = &write {
                self.pins.forget(ids);
            }
            answer(write, outcome);
        }
    }

    fn read(&self, read: Read) -> Result<(), StorageFault> {
        if read.is_abandoned() {
            return Ok(());
        }
        let tables = opened(self.tables.as_ref());
        match read {
            Read::Find(id, reply) => finish(guarded(|| Ok(tables?.find(id)?)), reply),
            Read::FindAll(ids, reply) => finish(guarded(|| Ok(tables?.find_all(&ids)?)), reply),
            Read::FindKey(key, reply) => finish(guarded(|| Ok(tables?.find_key(&key)?)), reply),
            Read::Oldest(batch, reply) => {
                let now = Instant::now();
                let passes_over = |id| self.pins.passes_over(id, now);
                finish(guarded(|| Ok(tables?.oldest(batch, passes_over)?)), reply)
            }
            Read::Page(ended, order, limit, reply) => {
                finish(guarded(|| Ok(tables?.page(ended, order, limit)?)), reply)
            }
        }
    }
}

/// The open file. It is always there while the thread serves.
fn opened(tables: Option<&Tables>) -> Result<&Tables, StorageFault> {
    tables.ok_or_else(|| StorageFault {
        kind: FaultKind::Defect,
        detail: "the file is not open".to_owned(),
    })
}

/// Sends what was found, or why nothing could be; and passes the fault on, for it ends the handle.
fn finish<T>(found: Result<T, StorageFault>, reply: Reply<T>) -> Result<(), StorageFault> {
    // An answer that nobody waits for any more is dropped.
    match found {
        Ok(found) => drop(reply.send(Ok(found))),
        Err(fault) => {
            drop(reply.send(Err(because(fault.kind))));
            return Err(fault);
        }
    }
    Ok(())
}

fn answer(write: Write, outcome: Outcome) {
    match (write, outcome) {
        (write, Outcome::Refused(error)) => write.refuse(error),
        (Write::Append(append), Outcome::Done) => drop(append.reply.send(Ok(None))),
        (Write::Append(append), Outcome::Other(row)) => drop(append.reply.send(Ok(Some(row)))),
        (Write::Remove(_, reply), _) => drop(reply.send(Ok(()))),
    }
}

fn refuse(batch: Vec<Write>, kind: FaultKind) {
    for write in batch {
        write.refuse(because(kind));
    }
}

fn because(kind: FaultKind) -> JournalError {
    JournalError::Unavailable(kind.cause().to_owned())
}
