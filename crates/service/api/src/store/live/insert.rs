//! Recording that requests were received, for callers that have the work done at once.

use std::collections::{HashMap, HashSet};

use tokio_postgres::Row;
use uuid::Uuid;

use super::batch::{Batch, Locks};
use super::state::{self, COLUMNS, CONFIRMED};
use crate::process::ExistingRequest;
use crate::store::Session;

/// A row that is there already was written by an earlier try whose answer was lost. It is written again, so that this
/// commit is waited for as the first one was to be: an insert that does nothing waits for no standby.
pub(super) const INSERT: &str = "INSERT INTO requests (id, origin, payload, lease_until) \
    SELECT id, 'resilient', payload::json, now() + make_interval(secs => lease) \
    FROM unnest($1::uuid[], $2::text[], $3::float8[]) AS entry (id, payload, lease) \
    ON CONFLICT (id) DO UPDATE SET lease_until = requests.lease_until WHERE requests.status = 'received' \
    RETURNING id";
/// Key and request are committed together, so a key never stands for a request that is not there. In the order of the
/// keys: two replicas that insert the same ones must not each wait for the other.
const INSERT_KEYED: &str = "WITH entry AS ( \
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::float8[], $4::text[]) AS entry (id, payload, lease, key) \
    ), taken AS ( \
        INSERT INTO idempotency_keys (key, request_id) SELECT key, id FROM entry ORDER BY key \
        ON CONFLICT (key) DO NOTHING RETURNING request_id \
    ) \
    INSERT INTO requests (id, origin, payload, lease_until) \
    SELECT id, 'resilient', payload::json, now() + make_interval(secs => lease) \
    FROM entry JOIN taken ON request_id = id \
    ON CONFLICT (id) DO NOTHING RETURNING id";
/// What somebody else than the service left behind; the service deletes both in one statement.
const FREE: &str = "DELETE FROM idempotency_keys WHERE key = ANY ($1::text[]) \
    AND NOT EXISTS (SELECT FROM requests WHERE id = request_id)";

/// A request to be recorded.
#[derive(Debug, Clone)]
pub struct NewRow {
    /// UUIDv7.
    pub id: Uuid,
    /// Its idempotency key; empty where it has none.
    pub key: String,
    /// Its body.
    pub payload: Option<String>,
    /// Seconds for which it is the caller's; `None`: recovery may have it at once.
    pub lease: Option<f64>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Inserted {
    /// It is recorded, and the caller's.
    Ours,
    /// Another stands there.
    Existing(ExistingRequest),
    /// Its key stood for nothing when it was looked up. By now it is free.
    KeyFreed,
    /// It was there before, and is there no more.
    Gone,
}

/// Requests without a key.
pub(in crate::store) struct Insert;

/// Requests with one.
pub(in crate::store) struct InsertKeyed;

impl Batch for Insert {
    type Row = NewRow;
    type Outcome = Inserted;

    const LOCKS: Locks = Locks::Table;

    async fn write(
        &self,
        session: &Session,
        rows: &[NewRow],
        _skip_locked: bool,
    ) -> Result<Vec<Inserted>, tokio_postgres::Error> {
        let (ids, payloads, leases) = columns(rows);
        let insert = session.prepare_cached(INSERT).await?;
        let inserted = session.query(&insert, &[&ids, &payloads, &leases]).await?;
        if inserted.len() == rows.len() {
            return Ok(vec![Inserted::Ours; rows.len()]);
        }
        let ours = returned(&inserted)?;
        let others: Vec<Uuid> = ids.into_iter().filter(|id| !ours.contains(id)).collect();
        let existing = state::by_ids(session, &others).await?;
        let outcome = |row: &NewRow| match existing.get(&row.id) {
            _ if ours.contains(&row.id) => Inserted::Ours,
            Some(existing) => Inserted::Existing(existing.clone()),
            None => Inserted::Gone,
        };
        Ok(rows.iter().map(outcome).collect())
    }
}

impl Batch for InsertKeyed {
    type Row = NewRow;
    type Outcome = Inserted;

    const LOCKS: Locks = Locks::Key;

    async fn write(
        &self,
        session: &Session,
        rows: &[NewRow],
        _skip_locked: bool,
    ) -> Result<Vec<Inserted>, tokio_postgres::Error> {
        let (ids, payloads, leases) = columns(rows);
        let keys: Vec<&str> = rows.iter().map(|row| row.key.as_str()).collect();
        let insert = session.prepare_cached(INSERT_KEYED).await?;
        let inserted = session
            .query(&insert, &[&ids, &payloads, &leases, &keys])
            .await?;
        if inserted.len() == rows.len() {
            return Ok(vec![Inserted::Ours; rows.len()]);
        }
        let ours = returned(&inserted)?;
        let others: Vec<&NewRow> = rows.iter().filter(|row| !ours.contains(&row.id)).collect();
        let existing = by_keys(session, &others).await?;
        let mut dangling = vec![];
        let outcomes = rows.iter().map(|row| match existing.get(&row.key) {
            _ if ours.contains(&row.id) => Inserted::Ours,
            // Under its own id: an earlier try was committed although its answer was lost.
            Some(existing) if existing.id == row.id => Inserted::Ours,
            Some(existing) => Inserted::Existing(existing.clone()),
            None => {
                dangling.push(row.key.as_str());
                Inserted::KeyFreed
            }
        });
        let outcomes = outcomes.collect();
        if !dangling.is_empty() {
            let free = session.prepare_cached(FREE).await?;
            session.execute(&free, &[&dangling]).await?;
        }
        Ok(outcomes)
    }
}

impl NewRow {
    /// About how much of a statement it takes.
    pub(super) fn bytes(&self) -> usize {
        16 + self.key.len() + self.payload.as_ref().map_or(0, String::len)
    }
}

/// What the keys of `rows` stand for; a key that is missing stands for nothing.
async fn by_keys(
    session: &Session,
    rows: &[&NewRow],
) -> Result<HashMap<String, ExistingRequest>, tokio_postgres::Error> {
    let keys: Vec<&str> = rows.iter().map(|row| row.key.as_str()).collect();
    let bodies: Vec<Option<&str>> = rows.iter().map(|row| row.payload.as_deref()).collect();
    // `json` keeps the text as it was received, so bodies are compared as texts.
    let statement = format!(
        "{CONFIRMED} SELECT key, {COLUMNS}, payload::text IS NOT DISTINCT FROM body AS same_body \
        FROM confirmed, unnest($1::text[], $2::text[]) AS asked (asked_key, body) \
        JOIN idempotency_keys ON key = asked_key JOIN requests ON id = request_id"
    );
    let statement = session.prepare_cached(&statement).await?;
    let found = session.query(&statement, &[&keys, &bodies]).await?;
    let read = |row: &Row| Ok((row.try_get("key")?, state::read(row)?));
    found.iter().map(read).collect()
}

/// What `key` stands for, without a try to take it; `None`: nothing.
pub(in crate::store) async fn by_key(
    session: &Session,
    key: &str,
    body: Option<&str>,
) -> Result<Option<ExistingRequest>, tokio_postgres::Error> {
    let asked = NewRow {
        id: Uuid::nil(),
        key: key.to_owned(),
        payload: body.map(str::to_owned),
        lease: None,
    };
    Ok(by_keys(session, &[&asked]).await?.remove(key))
}

/// The parameters: ids, bodies and leases.
pub(super) fn columns(rows: &[NewRow]) -> (Vec<Uuid>, Vec<Option<&str>>, Vec<Option<f64>>) {
    let rows = rows.iter();
    rows.map(|row| (row.id, row.payload.as_deref(), row.lease))
        .collect()
}

fn returned(rows: &[Row]) -> Result<HashSet<Uuid>, tokio_postgres::Error> {
    rows.iter().map(|row| row.try_get(0)).collect()
}
