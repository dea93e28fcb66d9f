//! A pooled session on loan. It goes back to the pool only when its last statement is known to have ended.
//!
//! Dropping a query's future does not end the query: the next user of the session would wait behind it, or read its
//! answer. So a session whose statement was cut short is never reused; it keeps its place in the pool while the
//! statement is cancelled at the server, so that the server never has more of our sessions than the pool allows.

use std::ops::Deref;
use std::time::Duration;

use deadpool::managed::{Object, Pool, PoolError, TimeoutType};
use deadpool_postgres::ClientWrapper;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_postgres::NoTls;

use super::Usage;
use super::error::DatabaseError;
use super::manager::{Connection, SessionManager};

/// How long a cancelled statement may keep its place in the pool.
const CANCEL_LIMIT: Duration = Duration::from_millis(300);

/// The pool, and where to clean up.
#[derive(Clone)]
pub(super) struct Sessions {
    pool: Pool<SessionManager>,
    runtime: Handle,
}

impl Sessions {
    pub(super) fn new(pool: Pool<SessionManager>, runtime: Handle) -> Self {
        Self { pool, runtime }
    }

    pub(super) fn usage(&self) -> Usage {
        let status = self.pool.status();
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Usage {
            in_use: number(status.size.saturating_sub(status.available)),
            idle: number(status.available),
            limit: number(status.max_size),
            waiting: number(status.waiting),
        }
    }

    pub(super) async fn acquire(&self) -> Result<Session, DatabaseError> {
        let object = self.pool.get().await.map_err(|error| match error {
            PoolError::Timeout(TimeoutType::Wait) => DatabaseError::PoolExhausted,
            PoolError::Timeout(_) => DatabaseError::ConnectTimeout,
            PoolError::Backend(error) => DatabaseError::Connect(error),
            other => DatabaseError::Pool(other.to_string()),
        })?;
        Ok(Session {
            object: Some(object),
            runtime: self.runtime.clone(),
        })
    }
}

/// Dereferences to the client. Dropped without [`Session::finish`], it is retired.
pub(super) struct Session {
    /// `None` once finished.
    object: Option<Object<SessionManager>>,
    runtime: Handle,
}

impl Session {
    /// Ends the loan: the session is reused if the outcome shows that it is sound.
    pub(super) fn finish<T>(
        mut self,
        outcome: Result<T, tokio_postgres::Error>,
    ) -> Result<T, DatabaseError> {
        let object = self.object.take();
        outcome.map_err(|error| {
            let error = DatabaseError::from(error);
            if !error.leaves_session_sound() {
                drop(object.map(Object::take));
            }
            error
        })
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
        let (cancel, peer) = (object.client.cancel_token(), object.peer);
        self.runtime.spawn(async move {
            let cancelled = async {
                let stream = TcpStream::connect(peer).await?;
                cancel
                    .cancel_query_raw(stream, NoTls)
                    .await
                    .map_err(std::io::Error::other)
            };
            // Best effort: `statement_timeout` ends the statement where this does not.
            let _ = timeout(CANCEL_LIMIT, cancelled).await;
            drop(Object::take(object));
        });
    }
}
