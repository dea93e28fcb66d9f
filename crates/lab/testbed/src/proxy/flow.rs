//! One direction of a connection, step by step: whoever stops it half-way loses no byte.

use std::future::pending;
use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};

const BUFFER: usize = 16 * 1024;

/// Bytes read from one side and not yet written to the other.
pub(super) struct Flow {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
    passed_on: bool,
}

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Bytes came.
    Got,
    /// The side they come from has ended.
    Ended,
    /// This many bytes were passed on.
    Sent(usize),
    /// All is passed on, the end too.
    Over,
}

impl Flow {
    pub(super) fn new() -> Self {
        Self {
            buffer: vec![0; BUFFER],
            start: 0,
            end: 0,
            ended: false,
            passed_on: false,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Forgets what was not passed on.
    pub(super) fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
    }

    /// Has the end passed on once more: it goes to another than the one that has heard it.
    pub(super) fn restart(&mut self) {
        self.passed_on = false;
    }

    /// Has `bytes` passed on after what is there.
    pub(super) fn append(&mut self, bytes: &[u8]) {
        self.buffer.truncate(self.end);
        self.buffer.extend_from_slice(bytes);
        self.end = self.buffer.len();
    }

    /// Does what comes next: passes on what is there, at most `allowance` bytes, or waits for more; never returns once
    /// all is over. Cancel-safe: each await is a single read or write.
    pub(super) async fn step(
        &mut self,
        from: &mut ReadHalf<'_>,
        to: &mut WriteHalf<'_>,
        allowance: usize,
    ) -> io::Result<Step> {
        if !self.is_empty() {
            let until = self.end.min(self.start.saturating_add(allowance));
            let sent = to.write(&self.buffer[self.start..until]).await?;
            if sent == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.start += sent;
            Ok(Step::Sent(sent))
        } else if !self.ended {
            self.fill(from).await
        } else if !self.passed_on {
            to.shutdown().await?;
            self.passed_on = true;
            Ok(Step::Over)
        } else {
            pending().await
        }
    }

    /// Takes in what comes, unless there is something already: then it never returns. Cancel-safe.
    pub(super) async fn listen(&mut self, from: &mut ReadHalf<'_>) -> io::Result<Step> {
        if self.is_empty() && !self.ended {
            self.fill(from).await
        } else {
            pending().await
        }
    }

    async fn fill(&mut self, from: &mut ReadHalf<'_>) -> io::Result<Step> {
        self.clear();
        self.buffer.resize(BUFFER, 0);
        self.end = from.read(&mut self.buffer).await?;
        self.ended = self.end == 0;
        Ok(if self.ended { Step::Ended } else { Step::Got })
    }
}
