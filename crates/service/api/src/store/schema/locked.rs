//! A migration that does not get its lock: who holds it, and when it is tried again.
//!
//! While it waits, all live statements wait behind it. So it waits for less than they would, seldom, and says who is in the way.

use std::time::Duration;

use tokio_postgres::types::{ToSql, Type};

use super::TABLES;
use crate::store::Session;

const FIRST_PAUSE: Duration = Duration::from_secs(5);
const MAX_PAUSE: Duration = Duration::from_secs(60);
/// Who has a lock on one of the tables, the longest transaction first: as far as our role may see. Live calls come and go among
/// them, and one that is in the way stays.
const HOLDERS: &str = "SELECT pid, application_name FROM pg_locks JOIN pg_stat_activity USING (pid) \
    WHERE locktype = 'relation' AND granted AND pid <> pg_backend_pid() \
        AND relation = ANY (SELECT to_regclass(name) FROM unnest($1::text[]) AS name) \
    GROUP BY pid, application_name, xact_start ORDER BY xact_start LIMIT 5";

/// How often in a row a lock was not to be had.
#[derive(Debug, Default)]
pub(super) struct LockPauses(u32);

impl LockPauses {
    /// It was not; until the next try. `jitter` is from 0 to 1: replicas do not come back together.
    pub(super) fn next(&mut self, jitter: f64) -> Duration {
        let pause = FIRST_PAUSE.saturating_mul(1_u32.checked_shl(self.0).unwrap_or(u32::MAX));
        self.0 += 1;
        pause.min(MAX_PAUSE).mul_f64(0.75 + jitter / 2.0)
    }

    /// It was, or something else stood in the way.
    pub(super) fn over(&mut self) {
        self.0 = 0;
    }
}

/// Those who hold a lock on the tables now, each as `pid 123 (application)`.
pub(super) async fn holders(session: &Session) -> Result<Vec<String>, tokio_postgres::Error> {
    let tables = TABLES.map(|(table, _)| table).to_vec();
    let parameters: [(&(dyn ToSql + Sync), Type); 1] = [(&tables, Type::TEXT_ARRAY)];
    let rows = session.query_typed(HOLDERS, &parameters).await?;
    let shown = rows.iter().map(|row| {
        let (pid, application): (i32, &str) = (row.try_get(0)?, row.try_get(1)?);
        Ok(format!("pid {pid} ({application})"))
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_grows_to_a_minute_and_begins_anew_when_it_is_over() {
        let mut pauses = LockPauses::default();
        let grown = [0; 6].map(|_| pauses.next(0.5).as_secs());
        assert_eq!(grown, [5, 10, 20, 40, 60, 60]);
        pauses.over();
        let jittered = [pauses.next(0.0), pauses.next(1.0)].map(|it| it.as_millis());
        assert_eq!(jittered, [3750, 12_500]);
    }
}
