//! Rows that Postgres refuses, whatever is done to the others: a statement that takes on many rows is repeated by halves until the
//! one it refuses stands alone, and that one is passed over for a while, each time for longer.
//!
//! In memory only: after a restart Postgres is asked again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use crate::postgres::Attribution;

/// In a statement: all but these rows, and these alone.
pub(super) const ALL_BUT: &str = "<> ALL";
pub(super) const NONE_BUT: &str = "= ANY";

/// The first pause, long enough that as many such rows as come first in a queue are told apart before the first is tried again.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const MAX_PAUSE: Duration = Duration::from_secs(600);
/// So many are known. They go with each statement, 16 bytes each.
const MAX_REMEMBERED: usize = 4096;
/// Rows refused one by one before the statement itself is blamed for it.
const MAX_LONE_REFUSALS: u32 = 4;

/// The rows that are passed over. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct RefusedRows(Arc<Mutex<HashMap<Uuid, Refused>>>);

#[derive(Debug, Clone, Copy)]
struct Refused {
    times: u32,
    until: Instant,
}

impl RefusedRows {
    /// Those that statements leave out at `now`.
    pub(super) fn passed_over(&self, now: Instant) -> Vec<Uuid> {
        let rows = self.rows();
        let waits = rows.iter().filter(|(_, it)| it.until > now);
        waits.map(|(id, _)| *id).collect()
    }

    /// The statement over `ids` was refused: it is to be run over each part that this hands out.
    pub(super) fn halves(&self, ids: Vec<Uuid>) -> Halves<'_> {
        Halves {
            rows: self,
            pending: vec![ids],
            done: false,
            refused: 0,
        }
    }

    fn refuse(&self, id: Uuid, error: &tokio_postgres::Error, now: Instant) {
        let mut rows = self.rows();
        let times = rows.get(&id).map_or(0, |it| it.times);
        if times == 0 {
            let sqlstate = error.code().map_or("no SQLSTATE", |code| code.code());
            let cause = error.as_db_error().map(ToString::to_string);
            tracing::error!(request_id = %id, sqlstate, cause, "Postgres refuses this row: it is passed over, and tried again from time to time");
        }
        if rows.len() >= MAX_REMEMBERED
            && let Some(soonest) = rows.iter().min_by_key(|(_, it)| it.until)
        {
            let soonest = *soonest.0;
            rows.remove(&soonest);
        }
        let pause = FIRST_PAUSE.saturating_mul(1_u32.checked_shl(times).unwrap_or(u32::MAX));
        let refused = Refused {
            times: times + 1,
            until: now + pause.min(MAX_PAUSE),
        };
        rows.insert(id, refused);
    }

    /// No code of others runs under the lock, so the poison flag tells nothing.
    fn rows(&self) -> MutexGuard<'_, HashMap<Uuid, Refused>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the statement is refused for one of its rows, and would be taken without it.
pub(super) fn is_about_a_row(error: &tokio_postgres::Error) -> bool {
    Attribution::of(error) == Attribution::Row
}

/// The parts of a statement that was refused.
pub(super) struct Halves<'a> {
    rows: &'a RefusedRows,
    pending: Vec<Vec<Uuid>>,
    done: bool,
    refused: u32,
}

impl Halves<'_> {
    /// The next part to run it over.
    pub(super) fn next(&mut self) -> Option<Vec<Uuid>> {
        let next = self.pending.pop()?;
        (!next.is_empty()).then_some(next)
    }

    /// It took a part.
    pub(super) fn done(&mut self) {
        self.done = true;
    }

    /// It was refused over `part`: halved if that can be, else its one row is passed over.
    ///
    /// # Errors
    /// `error`, where it is about no row, or about one after another.
    pub(super) fn refused(
        &mut self,
        mut part: Vec<Uuid>,
        error: tokio_postgres::Error,
    ) -> Result<(), tokio_postgres::Error> {
        if !is_about_a_row(&error) {
            return Err(error);
        }
        if let [id] = part[..] {
            self.rows.refuse(id, &error, Instant::now());
            self.refused += 1;
            return match !self.done && self.refused >= MAX_LONE_REFUSALS {
                true => Err(error),
                false => Ok(()),
            };
        }
        let second = part.split_off(part.len() / 2);
        self.pending.extend([second, part]);
        Ok(())
    }
}
