//! A pooled session on loan. It goes back to the pool only when its last statement is known to have ended.
//!
//! Dropping a query's future does not end the query: the next user of the session would wait behind it, or read its
//! answer. So a session whose statement was cut short is never reused; it keeps its place in the pool while the
//! statement is cancelled at the server, so that the server never has more of our sessions than the pool allows.

use std::ops::Deref;
use std::time::Duration;

use deadpool::managed::Object;
use deadpool_postgres::ClientWrapper;
use tokio::time::{Instant, timeout};

use super::error::{Aftermath, DatabaseError};
use super::manager::{ANSWER_WITHIN, Connection, SessionManager};
use super::pool::Sessions;
use super::statement::ParameterTypes;

/// How long a cancelled statement may keep its place in the pool.
const CANCEL_LIMIT: Duration = Duration::from_millis(300);

/// Dereferences to the client. Dropped without [`Session::finish`], it is retired.
pub(crate) struct Session {
    /// `None` once finished.
    object: Option<Object<SessionManager>>,
    sessions: Sessions,
    lent: Instant,
}

impl Session {
    pub(super) fn new(object: Object<SessionManager>, sessions: Sessions) -> Self {
        Self {
            object: Some(object),
            sessions,
            lent: Instant::now(),
        }
    }

    /// Ends the loan: the session is reused if the outcome shows that it is sound.
    ///
    /// # Errors
    /// The outcome's, as what it means.
    pub(crate) fn finish<T>(
        mut self,
        outcome: Result<T, tokio_postgres::Error>,
    ) -> Result<T, DatabaseError> {
        let outcome = outcome.map_err(DatabaseError::from);
        let aftermath = outcome
            .as_ref()
            .err()
            .map_or(Aftermath::Sound, DatabaseError::aftermath);
        if let Some(object) = self.object.take() {
            self.give_back(object, aftermath);
        }
        outcome
    }

    fn give_back(&self, mut object: Object<SessionManager>, aftermath: Aftermath) {
        let now = Instant::now();
        let manager = self.sessions.pool.manager();
        match aftermath {
            Aftermath::Sound => {
                object.proved = now;
                manager.trust().prove(now);
                drop(object);
            }
            Aftermath::Spent => drop(Object::take(object)),
            Aftermath::OthersInDoubt => {
                manager.trust().doubt(now);
                manager.dialer.avoid(&object.peer);
                drop(Object::take(object));
            }
            Aftermath::OthersUseless => {
                manager.trust().discard(now);
                drop(Object::take(object));
            }
        }
        self.sessions.returned.notify_one();
    }

    /// Where statements cannot be prepared for good: what is known of their parameters.
    pub(super) fn parameter_types(&self) -> Option<&ParameterTypes> {
        self.sessions.pool.manager().parameter_types.as_ref()
    }

    fn connection(&self) -> &Connection {
        // Present until `finish` or `drop`, both of which end this value.
        #[expect(clippy::expect_used, reason = "an invariant of this file")]
        self.object.as_ref().expect("a session on loan")
    }
}

impl Deref for Session {
    type Target = ClientWrapper;

    fn deref(&self) -> &ClientWrapper {
        &self.connection().client
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(object) = self.object.take() else {
            return;
        };
        let manager = self.sessions.pool.manager();
        let now = Instant::now();
        manager.trust().doubt(now);
        let dialer = manager.dialer.clone();
        // A client that left at once tells nothing of the server.
        if now.saturating_duration_since(self.lent) >= ANSWER_WITHIN {
            dialer.avoid(&object.peer);
        }
        let returned = self.sessions.returned.clone();
        manager.runtime.spawn(async move {
            // Best effort: `statement_timeout` ends the statement where this does not.
            let cancelled = dialer.cancel(&object.client, &object.peer);
            let _ = timeout(CANCEL_LIMIT, cancelled).await;
            drop(Object::take(object));
            returned.notify_one();
        });
    }
}
