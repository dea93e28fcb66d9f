//! Letting go of what has been kept long enough: requests that are done or cancelled, and with them the keys that stand for them.
//!
//! Open and failed requests stay, and their keys: the first are owed, the second wait for an operator. In portions,
//! because each must end within the session's statement timeout. What a journal brought is kept from when it came, not from
//! when a replica's clock says it was done.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::refused::{ALL_BUT, NONE_BUT, is_about_a_row};
use super::{DatabaseError, Session, Store};

const OLDEST: &str = "SELECT extract(epoch FROM now() - coalesce(recorded_at, completed_at))::float8 FROM requests \
    WHERE origin = 'resilient' AND status = 'done' AND coalesce(recorded_at, completed_at) >= coalesce($1::timestamptz, '-infinity') \
        AND id <> ALL ($2) \
    ORDER BY coalesce(recorded_at, completed_at) LIMIT 1";

/// A portion that was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forgotten {
    /// How many requests.
    pub rows: u64,
    /// Since when the newest of them was kept; there is nothing older but what somebody had locked.
    pub up_to: Option<Timestamp>,
}

impl Store {
    /// Deletes requests that are done or cancelled and kept for longer than `keep`, the oldest from `from` on, `portion` at
    /// most. A row that Postgres refuses to delete is passed over.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub(crate) async fn forget(
        &self,
        keep: Duration,
        portion: u32,
        from: Option<Timestamp>,
    ) -> Result<Forgotten, DatabaseError> {
        let session = self.sessions.acquire().await?;
        let portion = Portion {
            keep: keep.as_secs_f64(),
            rows: i32::try_from(portion).unwrap_or(i32::MAX),
            from,
        };
        let forgotten = self.forget_over(&session, &portion).await;
        session.finish(forgotten)
    }

    async fn forget_over(
        &self,
        session: &Session,
        portion: &Portion,
    ) -> Result<Forgotten, tokio_postgres::Error> {
        let passed_over = self.refused.passed_over(Instant::now());
        match portion.forget(session, ALL_BUT, &passed_over).await {
            Err(error) if is_about_a_row(&error) => {}
            forgotten => return forgotten,
        }
        let candidates = portion.candidates(session, &passed_over).await?;
        let mut halves = self.refused.halves(candidates);
        let mut all = Forgotten {
            rows: 0,
            up_to: None,
        };
        while let Some(part) = halves.next() {
            match portion.forget(session, NONE_BUT, &part).await {
                Ok(some) => {
                    halves.done();
                    all.rows += some.rows;
                    all.up_to = all.up_to.max(some.up_to);
                }
                Err(error) => halves.refused(part, error)?,
            }
        }
        Ok(all)
    }

    /// For how long the oldest done request from `from` on has been kept; `None` when there is none.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub(crate) async fn oldest_kept(
        &self,
        from: Option<Timestamp>,
    ) -> Result<Option<Duration>, DatabaseError> {
        let session = self.sessions.acquire().await?;
        let passed_over = self.refused.passed_over(Instant::now());
        let outcome = async {
            let statement = session.prepare_cached(OLDEST).await?;
            let row = session
                .query_opt(&statement, &[&from, &passed_over])
                .await?;
            row.map(|row| row.try_get::<_, f64>(0)).transpose()
        }
        .await;
        let seconds = session.finish(outcome)?;
        Ok(seconds.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default()))
    }
}

/// What one statement deletes.
struct Portion {
    keep: f64,
    rows: i32,
    from: Option<Timestamp>,
}

impl Portion {
    /// Done ones from where the last portion ended: what was deleted there may still lie in the index. Of cancelled ones there are
    /// few, so that the index of their list will do.
    fn due(which: &str, lock: &str) -> String {
        let of = |status: &str, order: &str| {
            format!(
                "ARRAY ( \
                    SELECT id FROM requests WHERE origin = 'resilient' AND {status} \
                        AND coalesce(recorded_at, completed_at) < now() - make_interval(secs => $1) AND id {which} ($4::uuid[]) \
                    ORDER BY {order} LIMIT $2::int {lock} \
                )"
            )
        };
        let done = "status = 'done' AND coalesce(recorded_at, completed_at) >= coalesce($3::timestamptz, '-infinity')";
        let done = of(done, "coalesce(recorded_at, completed_at)");
        let cancelled = of("status = 'cancelled'", "id");
        format!("({done} || {cancelled})[1:$2::int]")
    }

    /// One statement: a key never stands for a request that is gone. `= ANY (ARRAY (…))`, not `IN (…)`: each row is found by
    /// its index, however large the table.
    async fn forget(
        &self,
        session: &Session,
        which: &str,
        ids: &[Uuid],
    ) -> Result<Forgotten, tokio_postgres::Error> {
        let due = Self::due(which, "FOR UPDATE SKIP LOCKED");
        let forget = format!(
            "WITH gone AS ( \
                DELETE FROM requests WHERE id = ANY ({due}) RETURNING id, coalesce(recorded_at, completed_at) AS since \
            ), keys AS ( \
                DELETE FROM idempotency_keys WHERE request_id = ANY (ARRAY (SELECT id FROM gone)) \
            ), conflicts AS ( \
                DELETE FROM result_conflicts WHERE request_id = ANY (ARRAY (SELECT id FROM gone)) \
            ) \
            SELECT count(*), max(since) FROM gone"
        );
        let statement = session.prepare_cached(&forget).await?;
        let row = session
            .query_one(&statement, &self.parameters(&ids))
            .await?;
        Ok(Forgotten {
            rows: row.try_get::<_, i64>(0)?.unsigned_abs(),
            up_to: row.try_get(1)?,
        })
    }

    async fn candidates(
        &self,
        session: &Session,
        passed_over: &[Uuid],
    ) -> Result<Vec<Uuid>, tokio_postgres::Error> {
        let statement = format!("SELECT unnest({})", Self::due(ALL_BUT, ""));
        let statement = session.prepare_cached(&statement).await?;
        let rows = session
            .query(&statement, &self.parameters(&passed_over))
            .await?;
        rows.iter().map(|row| row.try_get(0)).collect()
    }

    fn parameters<'a>(&'a self, ids: &'a &[Uuid]) -> [&'a (dyn ToSql + Sync); 4] {
        [&self.keep, &self.rows, &self.from, ids]
    }
}
