//! One batch of writes as one durable transaction: all of it, or nothing.
//!
//! Removing entries and recording ends needs free pages, and the file gets new ones only by doubling, which a disk that
//! is almost full refuses. So a batch that adds an entry makes sure that [`HEADROOM`] is left in the file behind it, and
//! fails if that cannot be had: then those pages are there from the batch before.

use redb::{
    Database, Durability, Error, ReadableTable, ReadableTableMetadata, Table, WriteTransaction,
};
use uuid::Uuid;

use super::entry::{Row, key_of};
use super::error::JournalError;
use super::queue::{Append, Write};
use super::quota;
use super::stats::Count;
use super::tables::{ENDED, KEYS, OPEN, ROOM, oldest};

/// Free pages in the file, in bytes.
const HEADROOM: usize = 256 << 10;

/// What new entries have to fit into.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub(super) max_bytes: u64,
    /// Why no new entry is taken at all, if none is.
    pub(super) closed: Option<&'static str>,
}

/// What became of one write of a batch.
pub(super) enum Outcome {
    /// As asked; also when it was so already.
    Done,
    /// Another entry stands: one that holds the key, or the same with the end that was recorded first.
    Other(Row),
    Refused(JournalError),
}

/// What became of a batch.
pub(super) struct Written {
    /// One for each write, in order.
    pub(super) outcomes: Vec<Outcome>,
    /// What the tables hold now.
    pub(super) count: Count,
    /// Entries stored.
    pub(super) appended: u64,
    /// Whether there was anything to commit.
    pub(super) changed: bool,
    /// Whether an entry was added, not only replaced.
    pub(super) added: bool,
}

/// Writes `batch` and waits for the disk. On an error nothing of it is there, or after a lost answer all of it.
pub(super) fn write(
    database: &Database,
    count: Count,
    room: Room,
    batch: &[Write],
) -> Result<Written, Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    let written = Change::begin(&transaction, count, room)?.all(batch)?;
    if written.added {
        // What is written and taken back within one transaction leaves nothing but a file that is large enough.
        let mut table = transaction.open_table(ROOM)?;
        table.insert_reserve(0, HEADROOM)?;
        table.remove(0)?;
    }
    if written.changed {
        transaction.commit()?;
    } else {
        transaction.abort()?;
    }
    Ok(written)
}

/// The tables under change.
struct Change<'t> {
    open: Table<'t, u128, &'static [u8]>,
    ended: Table<'t, u128, &'static [u8]>,
    keys: Table<'t, &'static str, u128>,
    room: Room,
    bytes: u64,
    appended: u64,
    changed: bool,
    added: bool,
}

impl<'t> Change<'t> {
    fn begin(transaction: &'t WriteTransaction, count: Count, room: Room) -> Result<Self, Error> {
        Ok(Self {
            open: transaction.open_table(OPEN)?,
            ended: transaction.open_table(ENDED)?,
            keys: transaction.open_table(KEYS)?,
            room,
            bytes: count.bytes,
            appended: 0,
            changed: false,
            added: false,
        })
    }

    fn all(mut self, batch: &[Write]) -> Result<Written, Error> {
        let mut outcomes = Vec::with_capacity(batch.len());
        for write in batch {
            outcomes.push(match write {
                // Nobody would hear of it: what is stored now would be a promise that was never made.
                _ if write.is_abandoned() => Outcome::Done,
                Write::Append(append) => self.append(append)?,
                Write::Remove(ids, _) => self.remove(ids)?,
            });
        }
        let count = Count {
            open: self.open.len()?,
            ended: self.ended.len()?,
            bytes: self.bytes,
            oldest: oldest(&self.open, &self.ended)?,
        };
        Ok(Written {
            outcomes,
            count,
            appended: self.appended,
            changed: self.changed,
            added: self.added,
        })
    }

    fn append(&mut self, append: &Append) -> Result<Outcome, Error> {
        let id = append.id.as_u128();
        if let Some(holder) = self.other_holder(append)? {
            return Ok(Outcome::Other(holder));
        }
        // The first recorded result wins.
        let first = self.ended.get(id)?.map(|json| json.value().to_vec());
        if let Some(first) = first {
            return Ok(match append.ended {
                true => Outcome::Other((append.id, first)),
                false => Outcome::Done,
            });
        }
        let before = self.open.get(id)?.map(|json| {
            let json = json.value();
            (json.len(), key_of(json))
        });
        let freed = before.as_ref().map_or(0, |(length, key)| {
            quota::open(*length) + key_quota(key.as_deref())
        });
        let bytes = (self.bytes - freed.min(self.bytes)) + quota(append);
        if let Some(refusal) = self.refusal(bytes, before.is_none()) {
            return Ok(Outcome::Refused(refusal));
        }
        self.added |= before.is_none();
        if let Some((_, Some(key))) = before.filter(|(_, key)| *key != append.key) {
            self.keys.remove(key.as_str())?;
        }
        self.store(append)?;
        self.bytes = bytes;
        Ok(Outcome::Done)
    }

    fn store(&mut self, append: &Append) -> Result<(), Error> {
        let (id, json) = (append.id.as_u128(), append.json.bytes());
        if append.ended {
            self.open.remove(id)?;
            self.ended.insert(id, json)?;
        } else {
            self.open.insert(id, json)?;
        }
        if let Some(key) = &append.key {
            self.keys.insert(key.as_str(), id)?;
        }
        self.appended += 1;
        self.changed = true;
        Ok(())
    }

    /// Why there is no room, if there is none.
    fn refusal(&self, bytes: u64, is_new: bool) -> Option<JournalError> {
        if let Some(cause) = self.room.closed.filter(|_| is_new) {
            return Some(JournalError::Unavailable(cause.to_owned()));
        }
        let max_bytes = self.room.max_bytes;
        // What takes no more than before is let in also when all is taken.
        let fits = bytes <= self.bytes || bytes <= quota::limit(max_bytes, is_new);
        (!fits).then_some(JournalError::Full { max_bytes })
    }

    /// The entry of another id that holds the key.
    fn other_holder(&self, append: &Append) -> Result<Option<Row>, Error> {
        let Some(key) = &append.key else {
            return Ok(None);
        };
        let holder = self.keys.get(key.as_str())?.map(|id| id.value());
        let Some(holder) = holder.filter(|holder| *holder != append.id.as_u128()) else {
            return Ok(None);
        };
        let found = match self.ended.get(holder)? {
            Some(found) => Some(found),
            None => self.open.get(holder)?,
        };
        Ok(found.map(|json| (Uuid::from_u128(holder), json.value().to_vec())))
    }

    fn remove(&mut self, ids: &[Uuid]) -> Result<Outcome, Error> {
        for id in ids {
            let id = id.as_u128();
            let open = self.open.remove(id)?.map(|json| json.value().to_vec());
            let (json, freed) = match open {
                Some(json) => (json.clone(), quota::open(json.len())),
                None => match self.ended.remove(id)?.map(|json| json.value().to_vec()) {
                    Some(json) => (json.clone(), quota::ended(json.len())),
                    None => continue,
                },
            };
            let key = key_of(&json);
            if let Some(key) = &key {
                self.keys.remove(key.as_str())?;
            }
            let freed = freed + key_quota(key.as_deref());
            self.bytes = self.bytes.saturating_sub(freed);
            self.changed = true;
        }
        Ok(Outcome::Done)
    }
}

fn quota(append: &Append) -> u64 {
    let length = append.json.bytes().len();
    let entry = if append.ended {
        quota::ended(length)
    } else {
        quota::open(length)
    };
    entry + key_quota(append.key.as_deref())
}

fn key_quota(key: Option<&str>) -> u64 {
    key.map_or(0, |key| quota::key(key.len()))
}
