//! Recording that requests were received under keys, each of which stands for the first.

use std::collections::{HashMap, HashSet};

use tokio_postgres::Row;
use uuid::Uuid;

use super::batch::{Batch, Locks};
use super::row::{NewRow, Outcome};
use super::state::{self, COLUMNS, CONFIRMED};
use crate::process::ExistingRequest;
use crate::store::Session;

/// Key and request are committed together, so a key never stands for a request that is not there. In the order of the
/// keys: two replicas that insert the same ones must not each wait for the other.
const INSERT: &str = "WITH entry AS ( \
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

/// Requests with a key.
pub(super) struct Keyed;

impl Batch for Keyed {
    type Row = NewRow;

    fn locks(_: &NewRow) -> Locks {
        Locks::Key
    }

    fn bytes(row: &NewRow) -> usize {
        row.bytes()
    }

    async fn write(
        &self,
        session: &Session,
        rows: &[NewRow],
        _skip_locked: bool,
    ) -> Result<Vec<Outcome>, tokio_postgres::Error> {
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let payloads: Vec<Option<&str>> = rows.iter().map(|row| row.payload.as_deref()).collect();
        let leases: Vec<Option<f64>> = rows.iter().map(|row| row.lease).collect();
        let keys: Vec<&str> = rows.iter().map(|row| row.key.as_str()).collect();
        let insert = session.prepare_cached(INSERT).await?;
        let inserted = session
            .query(&insert, &[&ids, &payloads, &leases, &keys])
            .await?;
        if inserted.len() == rows.len() {
            return Ok(vec![Outcome::Recorded; rows.len()]);
        }
        let ours: HashSet<Uuid> = inserted
            .iter()
            .map(|row| row.try_get(0))
            .collect::<Result<_, _>>()?;
        let others: Vec<&NewRow> = rows.iter().filter(|row| !ours.contains(&row.id)).collect();
        let existing = by_keys(session, &others).await?;
        let mut dangling = vec![];
        let outcomes = rows.iter().map(|row| match existing.get(&row.key) {
            _ if ours.contains(&row.id) => Outcome::Recorded,
            // Under its own id: an earlier try was committed although its answer was lost.
            Some(existing) if existing.id == row.id => Outcome::Recorded,
            Some(existing) => Outcome::Existing(existing.clone()),
            None => {
                dangling.push(row.key.as_str());
                Outcome::KeyFreed
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
pub(super) async fn by_key(
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
