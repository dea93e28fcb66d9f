//! The socket of a connection, with its time limits.
//!
//! A limit that is over looks to the reader like a client that has left, so that the end is an orderly one; what cannot be
//! written in time is an error.

use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::{Connection, unreadable};

/// How long a client may leave us with something to write: the socket's buffer is full, and it does not read.
const WRITE_LIMIT: Duration = Duration::from_secs(10);

/// A client's socket.
pub(in crate::http) struct Stream {
    socket: TcpStream,
    connection: Rc<Connection>,
    /// Since when something has been left to write, and the limit on that.
    write_due: Option<Instant>,
    /// What goes out in place of what the server wrote, and how much of it is gone.
    instead: Option<(Vec<u8>, usize)>,
    timer: Pin<Box<Sleep>>,
}

impl Stream {
    pub(super) fn new(socket: TcpStream, connection: Rc<Connection>) -> Self {
        Self {
            socket,
            timer: Box::pin(sleep_until(connection.head_due.get())),
            connection,
            write_due: None,
            instead: None,
        }
    }

    /// What exchanges on it need.
    pub(in crate::http) fn connection(&self) -> Rc<Connection> {
        Rc::clone(&self.connection)
    }

    /// Whether its time is over; if not, it is polled again when it is.
    fn is_overdue(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(due) = self.write_due.or_else(|| self.connection.due()) else {
            return false;
        };
        if self.timer.deadline() != due {
            self.timer.as_mut().reset(due);
        }
        self.timer.as_mut().poll(cx).is_ready()
    }

    /// What a write came to, of `wanted` bytes.
    fn written(
        &mut self,
        outcome: Poll<io::Result<usize>>,
        wanted: usize,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        match outcome {
            Poll::Ready(Ok(written)) if written >= wanted => self.write_due = None,
            Poll::Pending => {
                self.write_due
                    .get_or_insert_with(|| Instant::now() + WRITE_LIMIT);
                if self.is_overdue(cx) {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
            }
            Poll::Ready(_) => {}
        }
        outcome
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.connection.must_close.get() {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        if let Poll::Ready(read) = pin!(&mut self.socket).poll_read(cx, buffer) {
            if buffer.filled().len() > before {
                self.connection.heard();
            }
            return Poll::Ready(read);
        }
        if self.is_overdue(cx) {
            return Poll::Ready(Ok(()));
        }
        // It stays good: one task drives a connection for all its life.
        let mut waker = self.connection.waker.borrow_mut();
        waker.get_or_insert_with(|| cx.waker().clone());
        Poll::Pending
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.instead.is_none() {
            self.instead = unreadable::told(bytes).map(|instead| (instead, 0));
        }
        let Some((instead, mut gone)) = self.instead.take() else {
            let outcome = pin!(&mut self.socket).poll_write(cx, bytes);
            return self.written(outcome, bytes.len(), cx);
        };
        while let Some(rest) = instead.get(gone..).filter(|rest| !rest.is_empty()) {
            match pin!(&mut self.socket).poll_write(cx, rest) {
                Poll::Ready(Ok(sent @ 1..)) => gone += sent,
                // The server writes the same again.
                Poll::Pending => {
                    let wanted = rest.len();
                    self.instead = Some((instead, gone));
                    return self.written(Poll::Pending, wanted, cx);
                }
                Poll::Ready(Ok(_)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(failed) => return Poll::Ready(failed),
            }
        }
        self.written(Poll::Ready(Ok(bytes.len())), bytes.len(), cx)
    }

    /// The last thing the dispatcher does each time it is polled, after exchanges may have ended.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(pin!(&mut self.socket).poll_flush(cx))?;
        if self.is_overdue(cx) {
            // Told at the next read.
            cx.waker().wake_by_ref();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        pin!(&mut self.socket).poll_shutdown(cx)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.connection.gone();
    }
}
