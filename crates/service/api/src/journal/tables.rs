//! The journal's file: its tables, and what is read from them. The only place besides `write` that speaks redb.
//!
//! Open and ended entries lie in tables of their own, so that either sort is counted and listed without reading the
//! other. `KEYS` leads from an idempotency key to the id of the one entry that holds it.

use holdfast_wire::RequestOrder;
use redb::{
    AccessGuard, Builder, Database, Error, ReadOnlyTable, ReadableDatabase, ReadableTable,
    ReadableTableMetadata, StorageBackend, StorageError, TableDefinition,
};
use uuid::Uuid;

use super::entry::{Batch, Row};
use super::quota;
use super::stats::Count;

pub(super) const OPEN: TableDefinition<'_, u128, &[u8]> = TableDefinition::new("open");
pub(super) const ENDED: TableDefinition<'_, u128, &[u8]> = TableDefinition::new("ended");
pub(super) const KEYS: TableDefinition<'_, &str, u128> = TableDefinition::new("keys");
/// Empty after every commit: see `write`.
pub(super) const ROOM: TableDefinition<'_, u128, &[u8]> = TableDefinition::new("room");

/// Of memory. The journal is written once and read once: little is gained by more.
const CACHE: usize = 16 << 20;

type Stored = Result<
    (
        AccessGuard<'static, u128>,
        AccessGuard<'static, &'static [u8]>,
    ),
    StorageError,
>;
type Entries = ReadOnlyTable<u128, &'static [u8]>;

/// The file, open.
pub(super) struct Tables {
    database: Database,
}

impl Tables {
    /// Opens the file behind `backend`, every page of it checked, or makes a new one if it is empty.
    pub(super) fn open(backend: impl StorageBackend) -> Result<Self, Error> {
        let database = Builder::new()
            .set_cache_size(CACHE)
            // Without it, flipped bits were read back as if they had been written so.
            .set_check_integrity_on_open(true)
            .create_with_backend(backend)?;
        let tables = Self { database };
        if !tables.are_there()? {
            let transaction = tables.database.begin_write()?;
            transaction.open_table(OPEN)?;
            transaction.open_table(ENDED)?;
            transaction.open_table(KEYS)?;
            transaction.open_table(ROOM)?;
            transaction.commit()?;
        }
        Ok(tables)
    }

    pub(super) fn database(&self) -> &Database {
        &self.database
    }

    /// A commit for nothing would be one more that a full disk refuses.
    fn are_there(&self) -> Result<bool, Error> {
        let transaction = self.database.begin_read()?;
        Ok(transaction.list_tables()?.count() == 4)
    }

    /// Counts by reading everything once.
    pub(super) fn count(&self) -> Result<Count, Error> {
        let transaction = self.database.begin_read()?;
        let (open, ended) = (
            transaction.open_table(OPEN)?,
            transaction.open_table(ENDED)?,
        );
        let mut bytes = 0;
        for row in open.iter()? {
            bytes += quota::open(row?.1.value().len());
        }
        for row in ended.iter()? {
            bytes += quota::ended(row?.1.value().len());
        }
        for row in transaction.open_table(KEYS)?.iter()? {
            bytes += quota::key(row?.0.value().len());
        }
        Ok(Count {
            open: open.len()?,
            ended: ended.len()?,
            bytes,
            oldest: oldest(&open, &ended)?,
        })
    }

    pub(super) fn find(&self, id: Uuid) -> Result<Option<Row>, Error> {
        Ok(self.find_all(&[id])?.pop())
    }

    /// Those of the entries `ids` that are there.
    pub(super) fn find_all(&self, ids: &[Uuid]) -> Result<Vec<Row>, Error> {
        let (open, ended) = self.entries()?;
        let mut found = vec![];
        for id in ids {
            let key = id.as_u128();
            let json = match ended.get(key)? {
                Some(json) => Some(json),
                None => open.get(key)?,
            };
            found.extend(json.map(|json| (*id, json.value().to_vec())));
        }
        Ok(found)
    }

    pub(super) fn find_key(&self, key: &str) -> Result<Option<Row>, Error> {
        let holder = {
            let transaction = self.database.begin_read()?;
            let keys = transaction.open_table(KEYS)?;
            keys.get(key)?.map(|id| id.value())
        };
        match holder {
            Some(id) => self.find(Uuid::from_u128(id)),
            None => Ok(None),
        }
    }

    /// The oldest entries of both sorts, without those that are to be passed over.
    pub(super) fn oldest(
        &self,
        batch: Batch,
        passes_over: impl Fn(Uuid) -> bool,
    ) -> Result<Vec<Row>, Error> {
        let (open, ended) = self.entries()?;
        let rows = merge(open.range::<u128>(..)?, ended.range::<u128>(..)?, |a, b| {
            a < b
        });
        let (mut found, mut bytes) = (Vec::new(), 0);
        for row in rows {
            let (id, json) = row?;
            let id = Uuid::from_u128(id.value());
            if passes_over(id) {
                continue;
            }
            bytes += json.value().len();
            if found.len() >= batch.entries || (bytes > batch.bytes && !found.is_empty()) {
                break;
            }
            found.push((id, json.value().to_vec()));
        }
        Ok(found)
    }

    /// The first entries of a sort in this order, and how many there are.
    pub(super) fn page(
        &self,
        ended_only: Option<bool>,
        order: RequestOrder,
        limit: usize,
    ) -> Result<(u64, Vec<Row>), Error> {
        let (open, ended) = self.entries()?;
        let (open_rows, ended_rows) = match ended_only {
            Some(true) => (0, ended.len()?),
            Some(false) => (open.len()?, 0),
            None => (open.len()?, ended.len()?),
        };
        let most = |rows: u64| limit.min(usize::try_from(rows).unwrap_or(limit));
        let (open, ended) = (open.range::<u128>(..)?, ended.range::<u128>(..)?);
        let rows = match order {
            RequestOrder::Newest => {
                let (open, ended) = (
                    open.rev().take(most(open_rows)),
                    ended.rev().take(most(ended_rows)),
                );
                take(merge(open, ended, |a, b| a > b), limit)?
            }
            RequestOrder::Oldest => {
                let (open, ended) = (open.take(most(open_rows)), ended.take(most(ended_rows)));
                take(merge(open, ended, |a, b| a < b), limit)?
            }
        };
        Ok((open_rows + ended_rows, rows))
    }

    /// Both sorts, as of the same commit.
    fn entries(&self) -> Result<(Entries, Entries), Error> {
        let transaction = self.database.begin_read()?;
        Ok((
            transaction.open_table(OPEN)?,
            transaction.open_table(ENDED)?,
        ))
    }
}

/// The smallest id in either table.
pub(super) fn oldest(
    open: &impl ReadableTable<u128, &'static [u8]>,
    ended: &impl ReadableTable<u128, &'static [u8]>,
) -> Result<Option<u128>, StorageError> {
    let open = open.first()?.map(|(id, _)| id.value());
    let ended = ended.first()?.map(|(id, _)| id.value());
    Ok(open.into_iter().chain(ended).min())
}

fn take(rows: impl Iterator<Item = Stored>, limit: usize) -> Result<Vec<Row>, Error> {
    let rows = rows.take(limit).map(|row| {
        let (id, json) = row?;
        Ok((Uuid::from_u128(id.value()), json.value().to_vec()))
    });
    rows.collect()
}

/// Two ordered runs as one. An error comes first, whichever run it is in.
fn merge(
    a: impl Iterator<Item = Stored>,
    b: impl Iterator<Item = Stored>,
    before: impl Fn(u128, u128) -> bool,
) -> impl Iterator<Item = Stored> {
    let (mut a, mut b) = (a.peekable(), b.peekable());
    std::iter::from_fn(move || {
        let from_a = match (a.peek(), b.peek()) {
            (Some(Ok(first)), Some(Ok(second))) => before(first.0.value(), second.0.value()),
            (Some(Ok(_)), Some(Err(_))) | (None, _) => false,
            (Some(_), _) => true,
        };
        if from_a { a.next() } else { b.next() }
    })
}
