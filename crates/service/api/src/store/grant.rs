//! Whether Postgres grants as many sessions as all replicas together may open. It is looked at from the start on, since a
//! failover may lead to a server that grants fewer, and told in the log each time the answer changes.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use tokio::time::sleep;

use super::{DatabaseError, Sessions, Store};
use crate::config::{PoolConfig, READERS, RECOVERERS};

/// What is left by what is reserved, and by the limits of this role and this database.
const GRANTED: &str = "SELECT least(current_setting('max_connections')::int \
    - current_setting('superuser_reserved_connections')::int \
    - coalesce(current_setting('reserved_connections', true)::int, 0), \
    nullif(rolconnlimit, -1), nullif(datconnlimit, -1)) \
    FROM pg_roles, pg_database WHERE rolname = session_user AND datname = current_database()";
/// Between two looks while Postgres answers, and while it does not.
const PERIOD: Duration = Duration::from_secs(60);
const RETRY: Duration = Duration::from_secs(1);

/// What all replicas together may ask for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    replicas: u32,
    /// Of each.
    sessions: u32,
}

/// More is asked for than granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shortage {
    replicas: u32,
    sessions: u32,
    granted: u32,
}

impl Wanted {
    /// By this configuration of every replica.
    pub(crate) fn by(pool: &PoolConfig) -> Self {
        Self {
            replicas: pool.replicas,
            sessions: 2 * pool.max_size + READERS + RECOVERERS,
        }
    }

    /// Looks for ever, over the sessions of `store`.
    pub(crate) async fn keep_comparing(self, store: Store) {
        if store.sessions.are_a_poolers() {
            return std::future::pending().await;
        }
        let mut told = None;
        loop {
            let Ok(granted) = granted(&store.sessions).await else {
                sleep(RETRY).await;
                continue;
            };
            let shortage = self.beyond(granted);
            if told != Some(shortage) {
                told = Some(shortage);
                match shortage {
                    Some(shortage) => tracing::warn!("{shortage}"),
                    None => tracing::info!(granted, wanted = self.total(), "sessions of Postgres"),
                }
            }
            sleep(PERIOD).await;
        }
    }

    fn total(self) -> u32 {
        self.replicas.saturating_mul(self.sessions)
    }

    fn beyond(self, granted: u32) -> Option<Shortage> {
        (self.total() > granted).then_some(Shortage {
            replicas: self.replicas,
            sessions: self.sessions,
            granted,
        })
    }
}

impl Display for Shortage {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            replicas,
            sessions,
            granted,
        } = *self;
        let wanted = replicas.saturating_mul(sessions);
        write!(
            f,
            "{replicas} replicas of {sessions} sessions each may ask for {wanted}, Postgres grants {granted}: "
        )?;
        let size = (granted / replicas).saturating_sub(READERS + RECOVERERS) / 2;
        if size > 0 {
            write!(f, "set database.pool.max_size to {size} at most, or ")?;
        }
        write!(
            f,
            "have Postgres grant {wanted} (max_connections, and the CONNECTION LIMIT of role and database)"
        )
    }
}

pub(super) async fn granted(sessions: &Sessions) -> Result<u32, DatabaseError> {
    let session = sessions.acquire().await?;
    let outcome = async {
        session
            .query_typed_one(GRANTED, &[])
            .await?
            .try_get::<_, i32>(0)
    }
    .await;
    // Less than nothing is left where more is reserved than there is.
    session
        .finish(outcome)
        .map(|granted| u32::try_from(granted).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(replicas: u32, sessions: u32, granted: u32) -> Option<String> {
        let wanted = Wanted { replicas, sessions };
        wanted.beyond(granted).map(|shortage| shortage.to_string())
    }

    #[test]
    fn what_fits_is_no_shortage() {
        assert_eq!(said(2, 39, 97), None);
        assert_eq!(said(1, 97, 97), None);
    }

    #[test]
    fn a_shortage_names_figures_and_cure() {
        assert_eq!(
            said(3, 39, 97).unwrap(),
            "3 replicas of 39 sessions each may ask for 117, Postgres grants 97: set database.pool.max_size to 12 at most, \
             or have Postgres grant 117 (max_connections, and the CONNECTION LIMIT of role and database)"
        );
        let hopeless = said(3, 9, 20).unwrap();
        assert!(!hopeless.contains("max_size"), "{hopeless}");
    }
}
