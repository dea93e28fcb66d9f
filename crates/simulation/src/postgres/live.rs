//! What live calls ask: the statements of `store/live`, on the model.

use std::collections::BTreeSet;

use holdfast_api::embedded::{
    Attribution, EndRow, ExistingRequest, Finished, Inserted, NewRequest, NewRow, WorkResult,
    Written,
};
use uuid::Uuid;

use super::rows::{Row, Status, Tables};
use super::{Conditions, micros};
use crate::world::failure::SqlState;
use crate::world::time::Micros;

/// The body that a trigger of the model refuses.
pub const POISON: &str = "\"poison\"";
const REFUSAL: &str = "the database refuses this request (P0001)";

impl Tables {
    /// `INSERT … ON CONFLICT (id) DO UPDATE … WHERE status = 'received'`.
    pub(crate) fn insert(&mut self, rows: &[NewRow], now: Micros) -> Vec<Written<Inserted>> {
        let write = |row: &NewRow| {
            if row.payload.as_deref() == Some(POISON) {
                return Written::RowRefused(REFUSAL.to_owned());
            }
            Written::Run(match self.row(row.id) {
                None => {
                    self.put(row.id, new(row, now));
                    Inserted::Ours
                }
                Some(there) if there.status == Status::Received => Inserted::Ours,
                Some(there) => Inserted::Existing(there.existing(row.id, true, now)),
            })
        };
        rows.iter().map(write).collect()
    }

    /// Keys and requests in one statement; what a key that stands for nothing is freed from.
    pub(crate) fn insert_keyed(
        &mut self,
        rows: &[NewRow],
        conditions: &Conditions,
        now: Micros,
    ) -> Vec<Written<Inserted>> {
        if conditions.keys_are_missing {
            return vec![Written::StatementRefused(Attribution::Schema); rows.len()];
        }
        let mut dangling = BTreeSet::new();
        let mut outcomes = Vec::with_capacity(rows.len());
        for row in rows {
            // A row whose key stands for another one is not written, so nothing refuses it.
            let is_written = !self.keys.contains_key(&row.key);
            outcomes.push(if conditions.locked_keys.contains(&row.key) {
                Written::RowLocked
            } else if is_written && row.payload.as_deref() == Some(POISON) {
                Written::RowRefused(REFUSAL.to_owned())
            } else {
                Written::Run(self.insert_one_keyed(row, &mut dangling, now))
            });
        }
        dangling.iter().for_each(|key| {
            self.keys.remove(key);
        });
        outcomes
    }

    fn insert_one_keyed(
        &mut self,
        row: &NewRow,
        dangling: &mut BTreeSet<String>,
        now: Micros,
    ) -> Inserted {
        if self.take_key(&row.key, row.id) && self.row(row.id).is_none() {
            self.put(row.id, new(row, now));
            return Inserted::Ours;
        }
        match self.by_key(&row.key, row.payload.as_deref(), now) {
            Some(existing) if existing.id == row.id => Inserted::Ours,
            Some(existing) => Inserted::Existing(existing),
            None => {
                dangling.insert(row.key.clone());
                Inserted::KeyFreed
            }
        }
    }

    /// Ends what is open; a row under somebody's lock is passed over.
    pub(crate) fn finish(
        &mut self,
        ends: &[EndRow],
        conditions: &Conditions,
        now: Micros,
    ) -> Vec<Written<Finished>> {
        let write = |end: &EndRow| {
            let is_locked = conditions.locked_rows.contains(&end.id);
            let recorded = !is_locked
                && self.row(end.id).is_some_and(|row| is_held_by(row, end))
                && self.change_open(end.id, |row| finish(row, end, now));
            Written::Run(if recorded {
                Finished::Recorded
            } else {
                Finished::Untouched(self.by_id(end.id, now))
            })
        };
        ends.iter().map(write).collect()
    }

    /// A whole request with its end, unless it is there.
    pub(crate) fn record(
        &mut self,
        request: &NewRequest,
        result: &WorkResult,
        now: Micros,
    ) -> Result<(), SqlState> {
        if request.body() == Some(POISON) {
            return Err(SqlState("P0001"));
        }
        self.record_whole(request, |row| {
            row.payload = request.body().map(str::to_owned);
            row.response = Some(result.response.get().to_owned());
            row.attempts = i32::try_from(result.attempts).unwrap_or(i32::MAX);
            row.end(Status::Done, now);
        });
        Ok(())
    }

    /// The same without its body, as failed.
    pub(crate) fn record_failed(&mut self, request: &NewRequest, error: &str, now: Micros) {
        self.record_whole(request, |row| {
            row.error = Some(error.to_owned());
            row.end(Status::Failed, now);
        });
    }

    fn record_whole(&mut self, request: &NewRequest, end: impl FnOnce(&mut Row)) {
        if let Some(key) = &request.key {
            self.take_key(key, request.id);
        }
        if self.row(request.id).is_none() {
            let mut row = Row::open(micros(request.received_at));
            end(&mut row);
            self.put(request.id, row);
        }
    }

    /// An open request fails.
    pub(crate) fn give_up(&mut self, id: Uuid, error: &str, now: Micros) {
        self.change_open(id, |row| {
            row.error = Some(error.to_owned());
            row.end(Status::Failed, now);
        });
    }

    /// How far `id` is.
    pub(crate) fn by_id(&self, id: Uuid, now: Micros) -> Option<ExistingRequest> {
        self.row(id).map(|row| row.existing(id, true, now))
    }

    /// What `key` stands for.
    pub(crate) fn by_key(
        &self,
        key: &str,
        body: Option<&str>,
        now: Micros,
    ) -> Option<ExistingRequest> {
        let id = *self.keys.get(key)?;
        let row = self.row(id)?;
        Some(row.existing(id, row.payload.as_deref() == body, now))
    }
}

fn new(row: &NewRow, now: Micros) -> Row {
    Row {
        payload: row.payload.clone(),
        lease_until: row.lease.map(|lease| now + seconds(lease)),
        ..Row::open(now)
    }
}

/// Whether `row` is still whose release `end` is, if it is one.
fn is_held_by(row: &Row, end: &EndRow) -> bool {
    end.lease
        .is_none_or(|lease| row.lease_until == Some(row.received_at + seconds(lease)))
}

fn finish(row: &mut Row, end: &EndRow, now: Micros) {
    row.attempts += end.attempts;
    row.lease_until = None;
    if let Some(response) = &end.response {
        row.response = Some(response.clone());
        row.end(Status::Done, now);
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "leases are minutes at most"
)]
fn seconds(seconds: f64) -> Micros {
    (seconds * 1e6) as Micros
}
