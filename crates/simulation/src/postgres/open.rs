//! What recovery asks: the statements of `store/open` and `store/retention`, on the model.

use std::time::Duration;

use holdfast_api::embedded::{
    Claimed, CompletedOpen, FailureOutcome, Forgotten, OpenCount, OpenRequest,
};
use jiff::Timestamp;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::rows::{Row, Status, Tables};
use super::{Conditions, micros, span, timestamp};
use crate::world::failure::SqlState;
use crate::world::time::Micros;

impl Tables {
    /// Claims the open rows that were free for longest, and those under a lease that is none.
    pub(crate) fn claim(
        &mut self,
        limit: u32,
        lease: Duration,
        longest_lease: Duration,
        conditions: &Conditions,
        now: Micros,
    ) -> Result<Vec<OpenRequest>, SqlState> {
        if conditions.keys_are_missing {
            return Err(SqlState("42P01"));
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

    /// An open row is done.
    pub(crate) fn complete_open(
        &mut self,
        id: Uuid,
        response: &str,
        attempts: u32,
        conditions: &Conditions,
        now: Micros,
    ) -> Result<CompletedOpen, SqlState> {
        if conditions.locked_rows.contains(&id) {
            return Err(SqlState("55P03"));
        }
        let completed = self.change_open(id, |row| {
            row.response = Some(response.to_owned());
            row.attempts += i32::try_from(attempts).unwrap_or(i32::MAX);
            row.end(Status::Done, now);
        });
        Ok(match completed {
            true => CompletedOpen::Recorded,
            false => CompletedOpen::Untouched,
        })
    }

    fn change_claimed(&mut self, claimed: Claimed, change: impl FnOnce(&mut Row)) -> bool {
        let lease = Some(micros(claimed.lease_until));
        let is_ours = |row: &Row| row.lease_until == lease;
        self.row(claimed.id).is_some_and(is_ours) && self.change_open(claimed.id, change)
    }

    /// A claim goes on.
    pub(crate) fn extend(
        &mut self,
        claimed: Claimed,
        lease: Duration,
        now: Micros,
    ) -> Option<Claimed> {
        let until = now + span(lease);
        let extended = self.change_claimed(claimed, |row| row.lease_until = Some(until));
        extended.then(|| Claimed {
            lease_until: timestamp(until),
            ..claimed
        })
    }

    /// A failure of the request's own.
    pub(crate) fn count_failure(
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
            row.error = Some(error.to_owned());
            if row.attempts.unsigned_abs() < max_attempts {
                row.lease_until = Some(now + span(pause));
            } else {
                row.end(Status::Failed, now);
                outcome = FailureOutcome::GaveUp;
            }
        });
        outcome
    }

    /// Deletes what is done and kept long enough, with its key and its conflicts.
    pub(crate) fn forget(
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
    pub(crate) fn oldest_kept(&self, from: Option<Timestamp>, now: Micros) -> Option<Duration> {
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
    pub(crate) fn count_open(&self, now: Micros) -> OpenCount {
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
