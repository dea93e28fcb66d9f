//! Letting go of what has been kept long enough: finished requests and the keys that stand for them.
//!
//! Open and failed requests stay: the first are owed, the second wait for an operator. In small portions, because each
//! must end within the session's statement timeout.

use std::time::Duration;

use super::Store;
use super::error::DatabaseError;

const FORGET_KEYS: &str = "DELETE FROM idempotency_keys WHERE key IN ( \
        SELECT key FROM idempotency_keys LEFT JOIN requests ON id = request_id \
        WHERE created_at < now() - make_interval(secs => $1) AND status IS DISTINCT FROM 'received' \
        ORDER BY created_at LIMIT $2 \
    )";
const FORGET_REQUESTS: &str = "DELETE FROM requests WHERE id IN ( \
        SELECT id FROM requests \
        WHERE origin = 'resilient' AND status = 'done' AND completed_at < now() - make_interval(secs => $1) \
        ORDER BY completed_at LIMIT $2 FOR UPDATE SKIP LOCKED \
    )";

impl Store {
    /// Deletes what was finished longer than `keep` ago, `portion` keys and `portion` requests at most; returns how many.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub(crate) async fn forget(&self, keep: Duration, portion: u32) -> Result<u64, DatabaseError> {
        let session = self.sessions.acquire().await?;
        let (keep, limit) = (keep.as_secs_f64(), i64::from(portion));
        let outcome = async {
            // Keys first, all of them: none may stand for a request that is gone.
            let keys = session.prepare_cached(FORGET_KEYS).await?;
            let keys = session.execute(&keys, &[&keep, &limit]).await?;
            if keys == u64::from(portion) {
                return Ok(keys);
            }
            let requests = session.prepare_cached(FORGET_REQUESTS).await?;
            let requests = session.execute(&requests, &[&keep, &limit]).await?;
            Ok(keys + requests)
        }
        .await;
        session.finish(outcome)
    }
}
