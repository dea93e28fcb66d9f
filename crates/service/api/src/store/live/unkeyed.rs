//! Recording that requests were received, how others ended, or that recovery may have them: whatever waits, in one statement
//! and one commit.

use std::collections::{HashMap, HashSet};

use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::batch::{Batch, Locks};
use super::row::{EndRow, NewRow, Outcome};
use super::state;
use crate::store::Session;

/// A row that is there already was written by an earlier try whose answer was lost. It is written again, so that this
/// commit is waited for as the first one was to be: an insert that does nothing waits for no standby.
const INSERT: &str = "INSERT INTO requests (id, origin, payload, lease_until) \
    SELECT id, 'resilient', payload::json, now() + make_interval(secs => lease) \
    FROM unnest($1::uuid[], $2::text[], $3::float8[]) AS entry (id, payload, lease) \
    ON CONFLICT (id) DO UPDATE SET lease_until = requests.lease_until WHERE requests.status = 'received' \
    RETURNING id";

/// An unkeyed request, or the end of any.
#[derive(Debug, Clone)]
pub(super) enum Row {
    New(NewRow),
    End(EndRow),
}

/// What needs no look at a key.
pub(super) struct Unkeyed;

impl Batch for Unkeyed {
    type Row = Row;

    fn locks(row: &Row) -> Locks {
        match row {
            Row::New(_) => Locks::Table,
            Row::End(_) => Locks::Row,
        }
    }

    fn bytes(row: &Row) -> usize {
        match row {
            Row::New(row) => row.bytes(),
            Row::End(row) => row.bytes(),
        }
    }

    async fn write(
        &self,
        session: &Session,
        rows: &[Row],
        skip_locked: bool,
    ) -> Result<Vec<Outcome>, tokio_postgres::Error> {
        let new = NewRows::of(rows);
        let ends = EndRows::of(rows);
        let (new_parameters, end_parameters) = (new.parameters(), ends.parameters());
        let (statement, parameters) = match (new.ids.is_empty(), ends.ids.is_empty()) {
            (_, true) => (INSERT.to_owned(), new_parameters.to_vec()),
            (true, false) => (finish(1, skip_locked), end_parameters.to_vec()),
            (false, false) => (
                both(&finish(4, skip_locked)),
                [new_parameters, end_parameters].concat(),
            ),
        };
        let statement = session.prepare_cached(&statement).await?;
        let touched = session.query(&statement, &parameters).await?;
        if touched.len() == rows.len() {
            return Ok(vec![Outcome::Recorded; rows.len()]);
        }
        let touched: HashSet<Uuid> = touched
            .iter()
            .map(|row| row.try_get(0))
            .collect::<Result<_, _>>()?;
        let missed: Vec<Uuid> = rows
            .iter()
            .filter_map(|row| row.id_to_look_into(&touched))
            .collect();
        let existing = match missed.is_empty() {
            true => HashMap::new(),
            false => state::by_ids(session, &missed).await?,
        };
        let outcome = |row: &Row| match existing.get(&row.id()) {
            _ if touched.contains(&row.id()) => Outcome::Recorded,
            Some(existing) => Outcome::Existing(existing.clone()),
            None => Outcome::Gone,
        };
        Ok(rows.iter().map(outcome).collect())
    }
}

impl Row {
    fn id(&self) -> Uuid {
        match self {
            Self::New(row) => row.id,
            Self::End(row) => row.id,
        }
    }

    /// Unless it is among those that were touched. Nobody asks what became of a request that recovery was to have.
    fn id_to_look_into(&self, touched: &HashSet<Uuid>) -> Option<Uuid> {
        let is_release = matches!(self, Self::End(EndRow { response: None, .. }));
        (!is_release && !touched.contains(&self.id())).then(|| self.id())
    }
}

/// The first recorded end stays. A row without a response is released.
fn finish(first_parameter: u32, skip_locked: bool) -> String {
    let [ids, responses, attempts] = [0, 1, 2].map(|offset| first_parameter + offset);
    let unlocked = match skip_locked {
        true => format!(
            "AND requests.id = ANY (ARRAY ( \
                SELECT id FROM requests WHERE id = ANY (${ids}) AND status = 'received' FOR UPDATE SKIP LOCKED))"
        ),
        false => String::new(),
    };
    format!(
        "UPDATE requests SET \
            status = CASE WHEN response IS NULL THEN 'received' ELSE 'done' END, \
            worker_response = response::json, \
            attempts = requests.attempts + entry.attempts, \
            completed_at = CASE WHEN response IS NOT NULL THEN now() END, \
            lease_until = NULL \
        FROM unnest(${ids}::uuid[], ${responses}::text[], ${attempts}::int[]) AS entry (id, response, attempts) \
        WHERE requests.id = entry.id AND status = 'received' {unlocked} RETURNING requests.id"
    )
}

fn both(finish: &str) -> String {
    format!(
        "WITH new AS ({INSERT}), ended AS ({finish}) SELECT id FROM new UNION ALL SELECT id FROM ended"
    )
}

type Parameter<'a> = &'a (dyn ToSql + Sync);

#[derive(Default)]
struct NewRows<'a> {
    ids: Vec<Uuid>,
    payloads: Vec<Option<&'a str>>,
    leases: Vec<Option<f64>>,
}

impl<'a> NewRows<'a> {
    fn of(rows: &'a [Row]) -> Self {
        let mut of = Self::default();
        for row in rows {
            if let Row::New(row) = row {
                of.ids.push(row.id);
                of.payloads.push(row.payload.as_deref());
                of.leases.push(row.lease);
            }
        }
        of
    }

    fn parameters(&self) -> [Parameter<'_>; 3] {
        [&self.ids, &self.payloads, &self.leases]
    }
}

#[derive(Default)]
struct EndRows<'a> {
    ids: Vec<Uuid>,
    responses: Vec<Option<&'a str>>,
    attempts: Vec<i32>,
}

impl<'a> EndRows<'a> {
    fn of(rows: &'a [Row]) -> Self {
        let mut of = Self::default();
        for row in rows {
            if let Row::End(row) = row {
                of.ids.push(row.id);
                of.responses.push(row.response.as_deref());
                of.attempts.push(row.attempts);
            }
        }
        of
    }

    fn parameters(&self) -> [Parameter<'_>; 3] {
        [&self.ids, &self.responses, &self.attempts]
    }
}
