//! The bounded queue between those who log and the thread that writes.
//!
//! Bounded in bytes, since lines differ. What finds no room is counted and dropped: nobody waits. The lock is held for as
//! long as it takes to copy a line, or to swap two buffers.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// Bytes of lines that may wait. As many again may be on their way out.
pub(super) const LIMIT: usize = 1024 * 1024;

/// Lines on their way out. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Queue(Arc<Shared>);

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: Vec<u8>,
    dropped: u64,
    closed: bool,
    ended: bool,
}

/// What the writer is to do next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The lines are in the buffer; before them, or among them, so many were dropped.
    Write {
        /// Lines.
        dropped: u64,
    },
    /// Nothing came in time.
    Nothing,
    /// Nothing is left, and nothing will come.
    End,
}

impl Queue {
    /// Exchanges what waits for `buffer`, which must be empty; waits for something for `limit` at most.
    pub(super) fn take(&self, buffer: &mut Vec<u8>, limit: Duration) -> Next {
        let idle = |waiting: &mut Waiting| {
            waiting.lines.is_empty() && waiting.dropped == 0 && !waiting.closed
        };
        let waited = self.0.changed.wait_timeout_while(self.lock(), limit, idle);
        let (mut waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut waiting.lines, buffer);
        let dropped = std::mem::take(&mut waiting.dropped);
        match (buffer.is_empty() && dropped == 0, waiting.closed) {
            (false, _) => Next::Write { dropped },
            (true, false) => Next::Nothing,
            (true, true) => Next::End,
        }
    }

    /// Nothing will come any more. Waits until the writer has ended, for `limit` at most.
    pub(super) fn close(&self, limit: Duration) {
        let mut waiting = self.lock();
        waiting.closed = true;
        self.0.changed.notify_all();
        let busy = |waiting: &mut Waiting| !waiting.ended;
        drop(self.0.changed.wait_timeout_while(waiting, limit, busy));
    }

    /// The writer has ended.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.0.changed.notify_all();
    }

    fn put(&self, line: &[u8]) {
        let mut waiting = self.lock();
        if waiting.lines.len() + line.len() > LIMIT {
            waiting.dropped += 1;
            return;
        }
        let was_empty = waiting.lines.is_empty();
        waiting.lines.extend_from_slice(line);
        drop(waiting);
        if was_empty {
            self.0.changed.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        let waiting = self.0.waiting.lock();
        waiting.unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes whole lines: the formatter writes each at once.
impl Write for &Queue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.put(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Queue {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT_ONCE: Duration = Duration::ZERO;

    #[test]
    fn lines_come_out_in_order_and_once() {
        let queue = Queue::default();
        let mut taken = Vec::new();
        assert_eq!(queue.take(&mut taken, AT_ONCE), Next::Nothing);
        queue.put(b"one\n");
        queue.put(b"two\n");
        assert_eq!(queue.take(&mut taken, AT_ONCE), Next::Write { dropped: 0 });
        assert_eq!(taken, b"one\ntwo\n");
        taken.clear();
        assert_eq!(queue.take(&mut taken, AT_ONCE), Next::Nothing);
    }

    #[test]
    fn what_finds_no_room_is_counted_and_there_is_room_again_once_it_was_taken() {
        let queue = Queue::default();
        let mut taken = Vec::new();
        queue.put(&vec![b'x'; LIMIT]);
        queue.put(b"lost\n");
        queue.put(b"lost\n");
        assert_eq!(queue.take(&mut taken, AT_ONCE), Next::Write { dropped: 2 });
        assert_eq!(taken.len(), LIMIT);
        taken.clear();
        queue.put(b"kept\n");
        assert_eq!(queue.take(&mut taken, AT_ONCE), Next::Write { dropped: 0 });
        assert_eq!(taken, b"kept\n");
    }

    #[test]
    fn a_closed_queue_gives_what_it_holds_before_it_ends() {
        let queue = Queue::default();
        let mut taken = Vec::new();
        queue.put(b"last\n");
        queue.close(AT_ONCE);
        assert_eq!(queue.take(&mut taken, AT_ONCE), Next::Write { dropped: 0 });
        taken.clear();
        assert_eq!(queue.take(&mut taken, AT_ONCE), Next::End);
    }
}
