//! What a full disk means for new entries: while the ballast's space is given away, none is taken.
//!
//! Or else new entries would use up the space that removing old ones needs.

use std::time::Duration;

use tokio::time::Instant;

use super::error::{FaultKind, StorageFault};
use super::files::Files;

/// How long to leave alone what failed `failures` times in a row. The first time is tried again at once.
pub(super) fn pause(failures: u32) -> Duration {
    let seconds = match failures {
        0 => 0,
        failures => 1_u64 << (failures - 1).min(4),
    };
    Duration::from_secs(seconds.min(15))
}

/// Whether the ballast is there, and when to try again if it is not.
#[derive(Debug, Default)]
pub(super) struct Ballast {
    /// Since when it is out: try again then.
    out_until: Option<Instant>,
    /// Since an entry was last stored.
    failures: u32,
}

impl Ballast {
    /// Gives the space away: the disk is full.
    pub(super) fn release(&mut self, files: &mut impl Files) {
        if let Err(error) = files.release() {
            tracing::error!(file = files.name(), %error, "the journal's ballast cannot be removed");
        }
        self.defer();
    }

    /// Puts the space by again, if it is out and it is time.
    pub(super) fn refill(&mut self, files: &mut impl Files) {
        let was_out = self.out_until.is_some();
        match files.refill() {
            Ok(()) => {
                self.out_until = None;
                if was_out {
                    tracing::info!("the journal takes new entries again");
                }
            }
            Err(error) => {
                let StorageFault { kind, detail } = StorageFault::with_folder(&error);
                if was_out {
                    tracing::debug!(
                        error = detail,
                        "the journal's ballast cannot be written yet"
                    );
                } else {
                    tracing::error!(
                        error = detail,
                        help = kind.help(),
                        "the journal takes no new entries: its ballast cannot be written"
                    );
                }
                self.defer();
            }
        }
    }

    /// How long until it should be refilled; `None` while it is there.
    pub(super) fn refill_in(&self, now: Instant) -> Option<Duration> {
        Some(self.out_until?.saturating_duration_since(now))
    }

    /// Why no new entry is taken, if none is.
    pub(super) fn closed(&self) -> Option<&'static str> {
        self.out_until.map(|_| FaultKind::NoSpace.cause())
    }

    /// There was room for an entry and for the ballast.
    pub(super) fn stored(&mut self) {
        if self.out_until.is_none() {
            self.failures = 0;
        }
    }

    fn defer(&mut self) {
        self.failures += 1;
        self.out_until = Some(Instant::now() + pause(self.failures));
    }
}
