//! Letting go of what has been kept long enough: done requests, and with them the keys that stand for them.
//!
//! Open and failed requests stay, and their keys: the first are owed, the second wait for an operator. In portions,
//! because each must end within the session's statement timeout.

use std::time::Duration;

use super::DatabaseError;
use super::Store;

/// One statement: a key never stands for a request that is gone. `= ANY (ARRAY (…))`, not `IN (…)`: each row is found by
/// its index, however large the table.
const FORGET: &str = "WITH gone AS ( \
        DELETE FROM requests WHERE id = ANY (ARRAY ( \
            SELECT id FROM requests \
            WHERE origin = 'resilient' AND status = 'done' AND completed_at < now() - make_interval(secs => $1) \
            ORDER BY completed_at LIMIT $2 FOR UPDATE SKIP LOCKED \
        )) RETURNING id \
    ), keys AS ( \
        DELETE FROM idempotency_keys WHERE request_id IN (SELECT id FROM gone) \
    ) \
    SELECT count(*) FROM gone";

impl Store {
    /// Deletes the requests that were done longer than `keep` ago, `portion` at most; returns how many.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub(crate) async fn forget(&self, keep: Duration, portion: u32) -> Result<u64, DatabaseError> {
        let session = self.sessions.acquire().await?;
        let (keep, portion) = (keep.as_secs_f64(), i64::from(portion));
        let outcome = async {
            let statement = session.prepare_cached(FORGET).await?;
            let row = session.query_one(&statement, &[&keep, &portion]).await?;
            row.try_get::<_, i64>(0)
        }
        .await;
        session.finish(outcome).map(i64::unsigned_abs)
    }
}
