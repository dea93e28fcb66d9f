//! Group commit: what many callers want written goes to Postgres in few statements and few commits.
//!
//! A caller who finds no flush under way is served at once. A caller who comes while a flush is under way is
//! gathered for the next one, so batches grow with the load and shrink with it. A flush is one call to the dependency: it
//! is judged, retried and timed as one. Callers wait by their own deadlines, and one that leaves takes nobody with it.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use holdfast_ops::TraceContext;
use holdfast_policy::Deadline;
use holdfast_wire::Degraded;
use metrics::Histogram;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};

use super::batch::Written;
use crate::dependency::{Dependency, DependencyError};
use crate::trace;

/// Rows of one statement at most: some hundred kilobytes of ids and small bodies, and a few milliseconds of Postgres.
const MAX_ROWS: usize = 256;
/// Bytes of one statement, give or take one row: bodies may have 64 KiB each.
const MAX_BYTES: usize = 1024 * 1024;
/// How long others wait for a flush before another begins beside it: several times what a healthy one takes.
const PATIENCE: Duration = Duration::from_millis(20);
/// Flushes at once. Only slow ones are passed by: beside a healthy one another would but halve the batches, of which 64
/// and 256 callers get 4 % less.
const MAX_FLUSHES: usize = 3;

/// What the metrics know of a writer's flushes.
#[derive(Clone)]
pub(crate) struct FlushMetrics {
    /// Rows in one statement.
    pub(crate) rows: Histogram,
    /// Seconds a row waited for its flush to begin.
    pub(crate) queued: Histogram,
}

/// A kind of write that many callers share.
pub(super) trait Write: Send + Sync + 'static {
    /// What is written.
    type Row: Send + Sync + 'static;
    /// What came of one row.
    type Outcome: Send + 'static;
    /// Why none may be written.
    type Error: DependencyError;

    /// About how much of a statement `row` takes.
    fn bytes(&self, row: &Self::Row) -> usize;

    /// Writes each of `rows` that can be written, and says what came of each, in their order.
    fn write_all(
        &self,
        rows: &[Self::Row],
    ) -> impl Future<Output = Result<Vec<Written<Self::Outcome>>, Self::Error>> + Send;

    /// `row` was written, and its caller's client had left by then.
    fn unclaimed(&self, row: &Self::Row, outcome: &Self::Outcome, writer: &GroupCommit<Self>)
    where
        Self: Sized;
}

/// Gathers writes of one kind. Clones share the queue.
pub(super) struct GroupCommit<B: Write>(Arc<Shared<B>>);

struct Shared<B: Write> {
    write: B,
    dependency: Arc<Dependency>,
    runtime: Handle,
    metrics: FlushMetrics,
    queue: Mutex<Queue<B>>,
}

struct Queue<B: Write> {
    waiting: VecDeque<Waiting<B>>,
    flushes: usize,
    /// Those of the flushes that nobody waits for any more.
    slow: usize,
}

struct Waiting<B: Write> {
    row: B::Row,
    since: Instant,
    /// `None`: the caller does not wait.
    reply: Option<Answer<B>>,
    /// The caller's, where a collector shall see it. Boxed: else each row has the room for one.
    trace: Option<Box<TraceContext>>,
}

/// The way back to a caller, and whether its time ran out: then it went elsewhere with what it had, and is at work on it. One that
/// is gone without that was dropped, as its client was.
type Answer<B> = (oneshot::Sender<Reply<B>>, Arc<AtomicBool>);

type Reply<B> = Result<Written<<B as Write>::Outcome>, Degraded>;

impl<B: Write> Clone for GroupCommit<B> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<B: Write> GroupCommit<B> {
    /// A writer of this kind, each flush a call through `dependency`, on `runtime`.
    pub(super) fn new(
        write: B,
        dependency: Arc<Dependency>,
        runtime: Handle,
        metrics: FlushMetrics,
    ) -> Self {
        Self(Arc::new(Shared {
            write,
            dependency,
            runtime,
            metrics,
            queue: Mutex::new(Queue {
                waiting: VecDeque::new(),
                flushes: 0,
                slow: 0,
            }),
        }))
    }

    /// Has `row` written, waiting until `deadline` at most.
    ///
    /// # Errors
    /// What was missing. The row may be written all the same.
    pub(super) async fn write(&self, row: B::Row, deadline: Deadline) -> Reply<B> {
        let dependency = &self.0.dependency;
        if !dependency.may_call() {
            return Err(dependency.unavailability());
        }
        let started = Instant::now();
        let (reply, mut answer) = oneshot::channel();
        let went_elsewhere = Arc::new(AtomicBool::new(false));
        self.enqueue(row, started, Some((reply, Arc::clone(&went_elsewhere))));
        let limit = dependency.policy().config().deadline;
        let until = deadline.instant().min(started + limit);
        match timeout_at(until, &mut answer).await {
            Ok(Ok(reply)) => reply,
            // The flush's task died with its runtime: the process is ending.
            Ok(Err(_)) => Err(dependency.unavailability()),
            Err(_) => {
                // Before the answer's end is dropped.
                went_elsewhere.store(true, Ordering::Release);
                Err(dependency.out_of_time(started.elapsed()))
            }
        }
    }

    /// Has `row` written when there is time for it; nobody waits.
    pub(super) fn write_unattended(&self, row: B::Row) {
        self.enqueue(row, Instant::now(), None);
    }

    fn enqueue(&self, row: B::Row, since: Instant, reply: Option<Answer<B>>) {
        let trace = trace::exported().map(Box::new);
        let waiting = Waiting {
            row,
            since,
            reply,
            trace,
        };
        let mut queue = self.0.lock();
        queue.waiting.push_back(waiting);
        self.begin(&mut queue);
    }

    /// Unless one is under way that will see to what waits.
    fn begin(&self, queue: &mut Queue<B>) {
        if queue.flushes > queue.slow || queue.flushes == MAX_FLUSHES {
            return;
        }
        queue.flushes += 1;
        let (writer, runtime) = (self.clone(), &self.0.runtime);
        runtime.spawn(async move { writer.flush_all().await });
    }

    /// Flushes for as long as any row waits. One that takes long is passed by.
    async fn flush_all(&self) {
        let mut flushing = Flushing {
            shared: &self.0,
            counted: true,
            slow: false,
        };
        while let Some(batch) = self.next(&mut flushing) {
            let flush = self.flush(batch);
            tokio::pin!(flush);
            if timeout(PATIENCE, &mut flush).await.is_err() {
                self.pass_by(&mut flushing);
                flush.await;
            }
        }
    }

    fn pass_by(&self, flushing: &mut Flushing<'_, B>) {
        let mut queue = self.0.lock();
        queue.slow += 1;
        flushing.slow = true;
        if !queue.waiting.is_empty() {
            self.begin(&mut queue);
        }
    }

    /// `None` when none wait, or another flush sees to them. Then this one counts no more, from the same moment: the next
    /// caller begins one.
    fn next(&self, flushing: &mut Flushing<'_, B>) -> Option<Vec<Waiting<B>>> {
        let mut queue = self.0.lock();
        queue.slow -= usize::from(flushing.slow);
        flushing.slow = false;
        let mut taken = Vec::with_capacity(queue.waiting.len().min(MAX_ROWS));
        let mut bytes = 0;
        let alone = queue.flushes - queue.slow == 1;
        while alone && taken.len() < MAX_ROWS && bytes < MAX_BYTES {
            let Some(next) = queue.waiting.pop_front() else {
                break;
            };
            // A caller that has left went elsewhere with what it had.
            if next
                .reply
                .as_ref()
                .is_none_or(|(reply, _)| !reply.is_closed())
            {
                bytes += self.0.write.bytes(&next.row);
                taken.push(next);
            }
        }
        if taken.is_empty() {
            queue.flushes -= 1;
            flushing.counted = false;
            return None;
        }
        Some(taken)
    }

    async fn flush(&self, batch: Vec<Waiting<B>>) {
        let shared = &self.0;
        shared.observe(&batch, Instant::now());
        let (mut rows, mut replies, mut traces) = (vec![], vec![], vec![]);
        for waiting in batch {
            rows.push(waiting.row);
            replies.push(waiting.reply);
            traces.extend(waiting.trace.map(|trace| *trace));
        }
        let write = || shared.write.write_all(&rows);
        let written = trace::shared(traces, shared.dependency.call(None, write)).await;
        let written: Box<dyn Iterator<Item = Reply<B>> + Send> = match written {
            Ok(written) => Box::new(written.into_iter().map(Ok)),
            Err(missing) => Box::new(std::iter::repeat_with(move || Err(missing.clone()))),
        };
        for ((row, reply), answer) in rows.iter().zip(replies).zip(written) {
            let Some((reply, went_elsewhere)) = reply else {
                continue;
            };
            if let Err(Ok(Written::Run(outcome))) = reply.send(answer)
                && !went_elsewhere.load(Ordering::Acquire)
            {
                shared.write.unclaimed(row, &outcome, self);
            }
        }
    }
}

impl<B: Write> Shared<B> {
    fn observe(&self, batch: &[Waiting<B>], now: Instant) {
        #[expect(clippy::cast_precision_loss, reason = "at most MAX_ROWS")]
        self.metrics.rows.record(batch.len() as f64);
        if let Some(oldest) = batch.first() {
            let queued = now.duration_since(oldest.since);
            self.metrics.queued.record(queued.as_secs_f64());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue<B>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a flush for as long as it lasts, however it ends.
struct Flushing<'a, B: Write> {
    shared: &'a Shared<B>,
    counted: bool,
    slow: bool,
}

impl<B: Write> Drop for Flushing<'_, B> {
    fn drop(&mut self) {
        if self.counted {
            let mut queue = self.shared.lock();
            queue.flushes -= 1;
            queue.slow -= usize::from(self.slow);
        }
    }
}
