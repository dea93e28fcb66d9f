//! One direction of a connection, resumable: whoever stops it half-way loses no byte.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};

const BUFFER: usize = 16 * 1024;

/// Bytes read from one side and not yet written to the other.
pub(super) struct Flow {
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    ended: bool,
}

impl Flow {
    pub(super) fn new() -> Self {
        Self {
            buffer: vec![0; BUFFER].into_boxed_slice(),
            start: 0,
            end: 0,
            ended: false,
        }
    }

    /// Forwards until `from` ends, then passes the end on. At most `allowance` bytes: when it is used up the flow
    /// returns with `allowance` at 0. Cancel-safe: both awaits are, and progress is stored between them.
    pub(super) async fn run(
        &mut self,
        from: &mut ReadHalf<'_>,
        to: &mut WriteHalf<'_>,
        allowance: &mut usize,
    ) -> io::Result<()> {
        while !self.ended && *allowance > 0 {
            if self.start == self.end {
                (self.start, self.end) = (0, from.read(&mut self.buffer).await?);
                if self.end == 0 {
                    to.shutdown().await?;
                    self.ended = true;
                }
                continue;
            }
            let until = self.end.min(self.start.saturating_add(*allowance));
            let written = to.write(&self.buffer[self.start..until]).await?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.start += written;
            *allowance -= written;
        }
        Ok(())
    }
}
