//! How a session is opened, checked and given up, for the pool.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deadpool::managed::{Manager, Metrics, RecycleError, RecycleResult};
use deadpool_postgres::ClientWrapper;
use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout};

use super::dial::{Dialer, Peer};
use super::error::ConnectError;
use super::pool::Lifetimes;
use super::statement::ParameterTypes;
use super::trust::{Trust, Verdict};
use crate::main_runtime::run_on;

/// How long a session in doubt may take to answer: a fraction of what a statement may, so that the caller has time left
/// for a new one.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_millis(100);
/// While other sessions are good, a refused login is not repeated before this.
const LOGIN_PAUSE: Duration = Duration::from_millis(500);

/// A session, what is known of it, and where it leads, so that a statement of it can be cancelled there.
pub(super) struct Connection {
    pub(super) client: ClientWrapper,
    pub(super) peer: Peer,
    /// When it last answered.
    pub(super) proved: Instant,
    expires: Option<Instant>,
}

/// Opens sessions. Differs from deadpool-postgres' own manager: names go through the bounded resolver, each kind of
/// failure keeps its type, sockets live on the main runtime, and a session in doubt is asked before it is used.
pub(super) struct SessionManager {
    pub(super) dialer: Arc<Dialer>,
    pub(super) runtime: Handle,
    /// `None`: sessions are used for as long as they work.
    pub(super) lifetimes: Option<Lifetimes>,
    /// Kept where statements cannot be prepared for good.
    pub(super) parameter_types: Option<ParameterTypes>,
    trust: Mutex<Trust>,
    /// When a login was last refused, and with which SQLSTATE.
    refused: Mutex<Option<(Instant, String)>>,
}

impl SessionManager {
    pub(super) fn new(
        dialer: Dialer,
        runtime: Handle,
        lifetimes: Option<Lifetimes>,
        parameter_types: Option<ParameterTypes>,
    ) -> Self {
        Self {
            dialer: Arc::new(dialer),
            runtime,
            lifetimes,
            parameter_types,
            trust: Mutex::default(),
            refused: Mutex::default(),
        }
    }

    pub(super) fn trust(&self) -> MutexGuard<'_, Trust> {
        self.trust.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a pooled session has outlived its time: idle for too long, or too old.
    pub(super) fn is_spent(&self, connection: &Connection, idle: Duration) -> bool {
        let is_idle = self.lifetimes.is_some_and(|it| idle >= it.idle_timeout);
        is_idle || connection.expires.is_some_and(|at| at <= Instant::now())
    }

    fn login_refused_lately(&self) -> Option<ConnectError> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, sqlstate) = refused.as_ref()?;
        let now = Instant::now();
        let pause = now.saturating_duration_since(*at) < LOGIN_PAUSE && self.trust().is_good(now);
        pause.then(|| ConnectError::RefusedLately(sqlstate.clone()))
    }

    fn note(&self, error: &ConnectError) {
        if let Some(sqlstate) = error.sqlstate().filter(|_| error.spares_other_sessions()) {
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            *refused = Some((Instant::now(), sqlstate.to_owned()));
        }
    }
}

impl Manager for SessionManager {
    type Type = Connection;
    type Error = ConnectError;

    async fn create(&self) -> Result<Connection, ConnectError> {
        // The naive side asks again each time.
        if self.lifetimes.is_some()
            && let Some(error) = self.login_refused_lately()
        {
            return Err(error);
        }
        let dialer = self.dialer.clone();
        // Boxed: it is large, and every call that may open a session would carry it.
        let open = async move { dialer.open().await }.boxed();
        let opened = run_on(&self.runtime, open).await;
        let opened = opened.unwrap_or(Err(ConnectError::Timeout));
        let opened = opened.inspect_err(|error| self.note(error))?;
        let now = Instant::now();
        Ok(Connection {
            client: opened.client,
            peer: opened.peer,
            proved: now,
            expires: self.lifetimes.map(|it| now + it.drawn_lifetime()),
        })
    }

    async fn recycle(
        &self,
        connection: &mut Connection,
        metrics: &Metrics,
    ) -> RecycleResult<ConnectError> {
        if connection.client.is_closed() {
            return Err(RecycleError::message("the session is closed"));
        }
        // The naive side trusts whatever it has.
        if self.lifetimes.is_none() {
            return Ok(());
        }
        if self.is_spent(connection, metrics.last_used()) {
            return Err(RecycleError::message("the session is old"));
        }
        let verdict = self.trust().verdict(connection.proved);
        match verdict {
            Verdict::Use => Ok(()),
            Verdict::Drop => Err(RecycleError::message("its like gave no answer")),
            Verdict::Ask if self.dialer.avoids(&connection.peer) => {
                Err(RecycleError::message("its server hung"))
            }
            Verdict::Ask => {
                let answer = timeout(ANSWER_WITHIN, self.dialer.check(&connection.client)).await;
                if let Ok(Ok(())) = answer {
                    connection.proved = Instant::now();
                    return Ok(());
                }
                self.trust().confirm_doubt();
                Err(RecycleError::message("it gives no answer"))
            }
        }
    }
}
