//! What a journal's entries come to: the statements of `store/replay`, on the model.

use holdfast_api::embedded::{Entry, Refusal, RefusalKind, Replayed};

use super::live::POISON;
use super::rows::{Conflict, Row, Status, Tables};
use super::{Conditions, micros};
use crate::world::time::Micros;

impl Tables {
    /// All of a journal's entries, or none.
    pub(crate) fn replay(
        &mut self,
        entries: &[Entry],
        conditions: &Conditions,
        now: Micros,
    ) -> Replayed {
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
    pub(crate) fn refuse(&mut self, entry: &Entry, error: &str, now: Micros) {
        if let Some(key) = &entry.key {
            self.take_key(key, entry.id);
        }
        if self.row(entry.id).is_none() {
            self.put(entry.id, Row::open(micros(entry.received_at)));
        }
        self.give_up(entry.id, error, now);
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
    } else if !conditions.trigger_is_gone && entries.iter().any(is_poison) {
        refused(RefusalKind::Data, "P0001")
    } else {
        None
    }
}
