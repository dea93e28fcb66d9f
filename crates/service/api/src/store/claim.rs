//! Claiming open work.
//!
//! A claim is a lease on the database's clock. `SKIP LOCKED` lets several replicas claim at once without waiting for each
//! other, and passes over a row that a live call is just completing. One that Postgres refuses holds back no other.

use std::time::Duration;

use serde_json::value::RawValue;
use tokio::time::Instant;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::open::{Claimed, OpenRequest};
use super::refused::{ALL_BUT, NONE_BUT, is_about_a_row};
use super::{DatabaseError, Session, Store};

/// How often one claim begins anew where all that it would have claimed is refused.
const MAX_ROUNDS: u32 = 4;

impl Store {
    /// Claims the open requests that have been free for longest, `limit` at most, for `lease`. No lease is longer than
    /// `longest_lease`. A row that Postgres refuses is passed over.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub(crate) async fn claim(
        &self,
        limit: u32,
        lease: Duration,
        longest_lease: Duration,
    ) -> Result<Vec<OpenRequest>, DatabaseError> {
        let session = self.sessions.acquire().await?;
        let claim = Claim {
            limit: i32::try_from(limit).unwrap_or(i32::MAX),
            lease: lease.as_secs_f64(),
            longest_lease: longest_lease.as_secs_f64(),
        };
        let claimed = self.claim_over(&session, &claim).await;
        session.finish(claimed)
    }

    async fn claim_over(
        &self,
        session: &Session,
        claim: &Claim,
    ) -> Result<Vec<OpenRequest>, tokio_postgres::Error> {
        for _ in 0..MAX_ROUNDS {
            let passed_over = self.refused.passed_over(Instant::now());
            match claim.run(session, ALL_BUT, &passed_over).await {
                Err(error) if is_about_a_row(&error) => {}
                claimed => return claimed,
            }
            let candidates = claim.candidates(session, &passed_over).await?;
            let mut halves = self.refused.halves(candidates);
            let mut claimed = vec![];
            while let Some(part) = halves.next() {
                match claim.run(session, NONE_BUT, &part).await {
                    Ok(some) => {
                        halves.done();
                        claimed.extend(some);
                    }
                    Err(error) => halves.refused(part, error)?,
                }
            }
            if !claimed.is_empty() {
                return Ok(claimed);
            }
        }
        Ok(vec![])
    }
}

/// A claim's parameters.
struct Claim {
    limit: i32,
    lease: f64,
    longest_lease: f64,
}

impl Claim {
    /// By the index that orders open work by its lease: what somebody holds is not looked at, however much of it there is. The
    /// second half is for a clock that was set back since: a lease that ends later than any lease can is none.
    fn free(which: &str, lock: &str) -> String {
        let half = |held: &str| {
            format!(
                "ARRAY ( \
                    SELECT id FROM requests \
                    WHERE status = 'received' AND origin = 'resilient' AND coalesce(lease_until, '-infinity') {held} \
                        AND id {which} ($3::uuid[]) \
                    ORDER BY coalesce(lease_until, '-infinity'), id LIMIT $1::int {lock} \
                )"
            )
        };
        let (over, none) = (half("< now()"), half("> now() + make_interval(secs => $2)"));
        format!("({over} || {none})[1:$1::int]")
    }

    async fn run(
        &self,
        session: &Session,
        which: &str,
        ids: &[Uuid],
    ) -> Result<Vec<OpenRequest>, tokio_postgres::Error> {
        let free = Self::free(which, "FOR UPDATE SKIP LOCKED");
        let statement = format!(
            "UPDATE requests SET lease_until = now() + make_interval(secs => $4) WHERE id = ANY ({free}) \
            RETURNING id, attempts, lease_until, payload::text AS payload, received_at, \
                (SELECT key FROM idempotency_keys WHERE request_id = requests.id LIMIT 1) AS key"
        );
        let statement = session.prepare_cached(&statement).await?;
        let parameters: [&(dyn ToSql + Sync); 4] =
            [&self.limit, &self.longest_lease, &ids, &self.lease];
        let rows = session.query(&statement, &parameters).await?;
        rows.iter().map(open_request).collect()
    }

    async fn candidates(
        &self,
        session: &Session,
        passed_over: &[Uuid],
    ) -> Result<Vec<Uuid>, tokio_postgres::Error> {
        let statement = format!("SELECT unnest({})", Self::free(ALL_BUT, ""));
        let statement = session.prepare_cached(&statement).await?;
        let rows = session
            .query(
                &statement,
                &[&self.limit, &self.longest_lease, &passed_over],
            )
            .await?;
        rows.iter().map(|row| row.try_get(0)).collect()
    }
}

fn open_request(row: &Row) -> Result<OpenRequest, tokio_postgres::Error> {
    let failures: i32 = row.try_get("attempts")?;
    let payload: Option<String> = row.try_get("payload")?;
    Ok(OpenRequest {
        claimed: Claimed {
            id: row.try_get("id")?,
            failures: failures.unsigned_abs(),
            lease_until: row.try_get("lease_until")?,
        },
        key: row.try_get("key")?,
        // Of type `json`: it parses.
        payload: payload.and_then(|text| RawValue::from_string(text).ok()),
        received_at: row.try_get("received_at")?,
    })
}
