//! What recovery asks: the statements of `store/open`, `replay` and `retention`, on the model.

use std::time::Duration;

use holdfast_api::embedded::{
    Claimed, Entry, FailureOutcome, Forgotten, OpenCount, OpenRequest, Refusal, RefusalKind,
    Replayed,
};
use jiff::Timestamp;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::live::POISON;
use super::rows::{Conflict, Micros, Row, Status, Tables};
use super::{Conditions, SqlState, micros, span, timestamp};

impl Tables {
    /// Claims the open rows that were free for longest, and those under a lease that is none.
    pub fn claim(
        &mut self,
        limit: u32,
        lease: Duration,
        longest_lease: Duration,
        conditions: &Conditions,
        now: Micros,
    ) -> Result<Vec<OpenRequest>, SqlState> {
        if conditions.keys_are_missing {
            return Err("42P01");
        }
        let too_far = now + span(longest_lease) + 1;
        let unlocked = |(_, id): &(Micros, Uuid)| !conditions.locked_rows.contains(id);
        let free = self.free_from(Micros::MIN).take_while(|it| it.0 < now);
        let free = free.filter(unlocked);
        let strayed = self.free_from(too_far).filter(unlocked);
        let ids: Vec<Uuid> = free
            .chain(strayed)
            .take(limit as usize)
            .map(|(_, id)| id)
            .collect();
        let until = now + span(lease);
        Ok(ids
            .into_iter()
            .filter_map(|id| self.claimed(id, until))
            .collect())
    }

    fn claimed(&mut self, id: Uuid, until: Micros) -> Option<OpenRequest> {
        self.change_open(id, |row| row.lease_until = Some(until));
        let row = self.row(id)?;
        let key = self.keys.iter().find(|(_, it)| **it == id);
        Some(OpenRequest {
            claimed: Claimed {
                id,
                failures: row.attempts.unsigned_abs(),
                lease_until: timestamp(until),
            },
            key: key.map(|(key, _)| key.clone()),
            payload: row
                .payload
                .clone()
                .and_then(|it| RawValue::from_string(it).ok()),
            received_at: timestamp(row.received_at),
        })
    }

    /// An open row is done. False: it is not there, or not open.
    pub fn complete_open(
        &mut self,
        id: Uuid,
        response: &str,
        attempts: u32,
        conditions: &Conditions,
        now: Micros,
    ) -> Result<bool, SqlState> {
        if conditions.locked_rows.contains(&id) {
            return Err("55P03");
        }
        Ok(self.change_open(id, |row| {
            row.response = Some(response.to_owned());
            row.attempts += i32::try_from(attempts).unwrap_or(i32::MAX);
            row.end(Status::Done, now);
        }))
    }

    fn change_claimed(&mut self, claimed: Claimed, change: impl FnOnce(&mut Row)) -> bool {
        let lease = Some(micros(claimed.lease_until));
        let is_ours = |row: &Row| row.lease_until == lease;
        self.row(claimed.id).is_some_and(is_ours) && self.change_open(claimed.id, change)
    }

    /// A claim goes on.
    pub fn extend(&mut self, claimed: Claimed, lease: Duration, now: Micros) -> Option<Claimed> {
        let until = now + span(lease);
        let extended = self.change_claimed(claimed, |row| row.lease_until = Some(until));
        extended.then(|| Claimed {
            lease_until: timestamp(until),
            ..claimed
        })
    }

    /// A failure of the request's own.
    pub fn count_failure(
        &mut self,
        claimed: Claimed,
        error: &str,
        max_attempts: u32,
        pause: Duration,
        now: Micros,
    ) -> FailureOutcome {
        let mut outcome = FailureOutcome::Retry;
        self.change_claimed(claimed, |row| {
            row.attempts += 1;
            if row.attempts.unsigned_abs() < max_attempts {
                row.lease_until = Some(now + span(pause));
            } else {
                row.error = Some(error.to_owned());
                row.end(Status::Failed, now);
                outcome = FailureOutcome::GaveUp;
            }
        });
        outcome
    }

    /// All of a journal's entries, or none.
    pub fn replay(&mut self, entries: &[Entry], conditions: &Conditions, now: Micros) -> Replayed {
        if let Some(refusal) = refusal(entries, conditions) {
            return Replayed::Refused(refusal);
        }
        let conflicts = entries.iter().filter_map(|entry| {
            if let Some(key) = &entry.key {
                self.take_key(key, entry.id);
            }
            let conflict = self.note_conflict(entry);
            self.bring(entry, now);
            conflict.then_some(entry.id)
        });
        Replayed::Recorded {
            conflicts: conflicts.collect(),
        }
    }

    /// Two ends of one request: both are kept. Whether that is news.
    fn note_conflict(&mut self, entry: &Entry) -> bool {
        let (Some(end), Some(row)) = (&entry.end, self.row(entry.id)) else {
            return false;
        };
        let Some(completed_at) = row.completed_at else {
            return false;
        };
        let (response, ended_at) = (
            Some(end.response.get().to_owned()),
            micros(end.completed_at),
        );
        if row.status == Status::Done && row.response == response {
            return false;
        }
        let replaced = row.status != Status::Done || ended_at < completed_at;
        let (other_at, conflict) = if replaced {
            let conflict = Conflict {
                kept: response,
                kept_at: ended_at,
                other: row.response.clone(),
                other_error: row.error.clone(),
            };
            (completed_at, conflict)
        } else {
            let conflict = Conflict {
                kept: row.response.clone(),
                kept_at: completed_at,
                other: response,
                other_error: None,
            };
            (ended_at, conflict)
        };
        let place = (entry.id, other_at);
        let is_news = !self.conflicts.contains_key(&place);
        self.conflicts.entry(place).or_insert(conflict);
        is_news
    }

    fn bring(&mut self, entry: &Entry, now: Micros) {
        let ended = entry.end.as_ref().map(|end| Row {
            status: Status::Done,
            response: Some(end.response.get().to_owned()),
            attempts: i32::try_from(end.attempts).unwrap_or(i32::MAX),
            completed_at: Some(micros(end.completed_at)),
            recorded_at: Some(now),
            ..Row::open(micros(entry.received_at))
        });
        match (self.row(entry.id), ended) {
            (None, ended) => {
                let payload = entry.payload.as_deref().map(|it| it.get().to_owned());
                let row = ended.unwrap_or_else(|| Row::open(micros(entry.received_at)));
                self.put(entry.id, Row { payload, ..row });
            }
            (Some(_), None) => {}
            (Some(row), Some(ended)) => {
                let is_later = ended.completed_at >= row.completed_at;
                let stays =
                    row.status == Status::Done && (is_later || ended.response == row.response);
                if !stays {
                    let before = match row.status {
                        Status::Received => row.attempts,
                        Status::Done | Status::Failed => 0,
                    };
                    let row = Row {
                        payload: row.payload.clone(),
                        received_at: row.received_at,
                        attempts: before + ended.attempts,
                        ..ended
                    };
                    self.put(entry.id, row);
                }
            }
        }
    }

    /// A journal's entry fails.
    pub fn refuse(&mut self, entry: &Entry, error: &str, now: Micros) {
        if let Some(key) = &entry.key {
            self.take_key(key, entry.id);
        }
        if self.row(entry.id).is_none() {
            self.put(entry.id, Row::open(micros(entry.received_at)));
        }
        self.give_up(entry.id, error, now);
    }

    /// Deletes what is done and kept long enough, with its key and its conflicts.
    pub fn forget(
        &mut self,
        keep: Duration,
        portion: u32,
        from: Option<Timestamp>,
        now: Micros,
    ) -> Forgotten {
        let mut old = self.kept_from(from);
        old.retain(|(since, _)| *since < now - span(keep));
        old.truncate(portion as usize);
        for (_, id) in &old {
            self.remove(*id);
            self.keys.retain(|_, it| it != id);
            self.conflicts.retain(|(it, _), _| it != id);
        }
        Forgotten {
            rows: old.len() as u64,
            up_to: old.last().map(|(since, _)| timestamp(*since)),
        }
    }

    /// For how long the oldest done one has been kept.
    #[must_use]
    pub fn oldest_kept(&self, from: Option<Timestamp>, now: Micros) -> Option<Duration> {
        let (since, _) = *self.kept_from(from).first()?;
        Some(Duration::from_micros((now - since).max(0).unsigned_abs()))
    }

    fn kept_from(&self, from: Option<Timestamp>) -> Vec<(Micros, Uuid)> {
        let from = from.map_or(Micros::MIN, micros);
        let done = self.rows().filter(|(_, row)| row.status == Status::Done);
        let kept = done.filter_map(|(id, row)| Some((row.recorded_at.or(row.completed_at)?, id)));
        let mut kept: Vec<_> = kept.filter(|(since, _)| *since >= from).collect();
        kept.sort_unstable();
        kept
    }

    /// How many are open, and since when the oldest.
    #[must_use]
    pub fn count_open(&self, now: Micros) -> OpenCount {
        let oldest = self
            .free_from(Micros::MIN)
            .filter_map(|(_, id)| self.row(id));
        let oldest = oldest.map(|row| now - row.received_at).max();
        OpenCount {
            count: self.open() as u64,
            oldest: oldest.map(|age| Duration::from_micros(age.max(0).unsigned_abs())),
        }
    }
}

fn refusal(entries: &[Entry], conditions: &Conditions) -> Option<Refusal> {
    let refused = |kind, sqlstate| {
        let error = format!("the database refused the statement ({sqlstate})");
        Some(Refusal { error, kind })
    };
    let is_locked = |entry: &Entry| {
        let key = entry.key.as_ref();
        conditions.locked_rows.contains(&entry.id)
            || key.is_some_and(|key| conditions.locked_keys.contains(key))
    };
    let is_poison = |entry: &Entry| {
        entry
            .payload
            .as_deref()
            .is_some_and(|it| it.get() == POISON)
    };
    if conditions.keys_are_missing {
        refused(RefusalKind::Other, "42P01")
    } else if entries.iter().any(is_locked) {
        refused(RefusalKind::Lock, "55P03")
    } else if entries.iter().any(is_poison) {
        refused(RefusalKind::Data, "P0001")
    } else {
        None
    }
}
