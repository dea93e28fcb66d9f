//! The tables of the model: what `db/init.sql` declares, as far as the service's statements can tell.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_api::embedded::{ExistingRequest, RequestState, WorkResult};
use holdfast_wire::JsonText;
use jiff::Timestamp;
use uuid::Uuid;

use super::timestamp;
use crate::world::time::Micros;

/// How far a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Open.
    Received,
    /// Done.
    Done,
    /// Failed for good.
    Failed,
}

/// A row of `requests`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its body.
    pub payload: Option<String>,
    /// How far it is.
    pub status: Status,
    /// The worker's answer.
    pub response: Option<String>,
    /// Calls of the worker, or failures of its own while it is open.
    pub attempts: i32,
    /// Why it failed, last if it is tried again.
    pub error: Option<String>,
    pub(crate) received_at: Micros,
    pub(crate) completed_at: Option<Micros>,
    /// When the table got an end that a journal brought.
    pub(crate) recorded_at: Option<Micros>,
    /// Until when somebody holds it.
    pub lease_until: Option<Micros>,
}

/// A row of `result_conflicts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The end that stands.
    pub kept: Option<String>,
    /// When that was.
    pub(crate) kept_at: Micros,
    /// The other one.
    pub other: Option<String>,
    /// What it failed by, if it did.
    pub other_error: Option<String>,
}

/// All tables. A clone is a standby as of now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tables {
    rows: BTreeMap<Uuid, Row>,
    /// Open rows by when they are free to be claimed: the index `requests_claimable`.
    claimable: BTreeSet<(Micros, Uuid)>,
    /// What each idempotency key stands for.
    pub keys: BTreeMap<String, Uuid>,
    /// Ends that met another one, by request and by the time of the other.
    pub conflicts: BTreeMap<(Uuid, Micros), Conflict>,
}

impl Row {
    /// An open one without a body.
    pub(crate) fn open(received_at: Micros) -> Self {
        Self {
            payload: None,
            status: Status::Received,
            response: None,
            attempts: 0,
            error: None,
            received_at,
            completed_at: None,
            recorded_at: None,
            lease_until: None,
        }
    }

    /// Ends it at `now`.
    pub(crate) fn end(&mut self, status: Status, now: Micros) {
        self.status = status;
        if status == Status::Done {
            self.error = None;
        }
        self.completed_at = Some(now);
        self.lease_until = None;
    }

    /// As the service is told of it.
    pub(crate) fn existing(&self, id: Uuid, same_body: bool, now: Micros) -> ExistingRequest {
        let state = match self.status {
            Status::Done => {
                let response = self
                    .response
                    .clone()
                    .and_then(|it| JsonText::parse(it).ok());
                RequestState::Done(WorkResult {
                    response: response.unwrap_or_else(JsonText::null),
                    completed_at: timestamp(self.completed_at.unwrap_or(now)),
                    attempts: self.attempts.unsigned_abs(),
                })
            }
            Status::Failed => RequestState::Failed(self.error.clone().unwrap_or_default()),
            Status::Received if self.lease_until.is_some_and(|until| until > now) => {
                RequestState::Running
            }
            Status::Received => RequestState::Waiting,
        };
        ExistingRequest {
            id,
            same_body,
            state,
        }
    }

    fn free_from(&self) -> Option<Micros> {
        let is_open = self.status == Status::Received;
        is_open.then(|| self.lease_until.unwrap_or(Micros::MIN))
    }
}

impl Tables {
    pub(crate) fn row(&self, id: Uuid) -> Option<&Row> {
        self.rows.get(&id)
    }

    /// When `id` was done, if it is.
    pub(crate) fn done_at(&self, id: Uuid) -> Option<Timestamp> {
        let row = self.row(id).filter(|row| row.status == Status::Done);
        row?.completed_at.map(timestamp)
    }

    /// All rows by their ids.
    pub fn rows(&self) -> impl Iterator<Item = (Uuid, &Row)> {
        self.rows.iter().map(|(id, row)| (*id, row))
    }

    /// Open rows by when they are free, from `from` on.
    pub(crate) fn free_from(&self, from: Micros) -> impl Iterator<Item = (Micros, Uuid)> + '_ {
        self.claimable.range((from, Uuid::nil())..).copied()
    }

    pub(crate) fn open(&self) -> usize {
        self.claimable.len()
    }

    /// Puts `row` in place of what stands under `id`.
    pub(crate) fn put(&mut self, id: Uuid, row: Row) {
        self.remove(id);
        if let Some(from) = row.free_from() {
            self.claimable.insert((from, id));
        }
        self.rows.insert(id, row);
    }

    /// Changes the row `id` if it is there and open; whether it was.
    pub(crate) fn change_open(&mut self, id: Uuid, change: impl FnOnce(&mut Row)) -> bool {
        let Some(row) = self.rows.get_mut(&id) else {
            return false;
        };
        let Some(from) = row.free_from() else {
            return false;
        };
        change(row);
        let after = row.free_from();
        if after != Some(from) {
            self.claimable.remove(&(from, id));
            self.claimable.extend(after.map(|from| (from, id)));
        }
        true
    }

    pub(crate) fn remove(&mut self, id: Uuid) {
        if let Some(from) = self.rows.remove(&id).and_then(|row| row.free_from()) {
            self.claimable.remove(&(from, id));
        }
    }

    /// Lets `key` stand for `id` unless it stands for something; whether it does now.
    pub(crate) fn take_key(&mut self, key: &str, id: Uuid) -> bool {
        if self.keys.contains_key(key) {
            return false;
        }
        self.keys.insert(key.to_owned(), id);
        true
    }
}
