//! A pool of sessions, newest first: what a burst needed and nobody needs any more grows old at the other end and goes.

use std::sync::Arc;
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{Pool, PoolError, QueueMode, TimeoutType, Timeouts, WeakPool};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};

use super::database::Database;
use super::dial::Dialer;
use super::error::{ConnectError, DatabaseError};
use super::manager::SessionManager;
use super::session::Session;
use super::statement::ParameterTypes;
use crate::resolver::Resolver;

/// Sessions opened together must not end together: a tenth of their life is drawn.
const LIFETIME_JITTER: f64 = 0.1;
/// How often idle sessions are looked at, at least.
const MAX_SWEEP_PAUSE: Duration = Duration::from_secs(10);

/// What one user of the database has of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PoolOptions {
    /// How Postgres shows its sessions, after `holdfast`.
    pub role: &'static str,
    /// Sessions at most.
    pub max_size: u32,
    /// `None`: it waits for as long as it takes, and keeps what it has.
    pub limits: Option<PoolLimits>,
}

/// The waits that end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PoolLimits {
    /// For a free session.
    pub max_wait: Duration,
    /// For a new one.
    pub connect_timeout: Duration,
    /// For one statement, in whole milliseconds; Postgres sees to it.
    pub statement_limit: Duration,
    /// For one lock, likewise.
    pub lock_limit: Duration,
    /// An unused session is closed after it.
    pub idle_timeout: Duration,
    /// And any after this.
    pub max_lifetime: Duration,
}

/// How long a session is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lifetimes {
    pub(super) idle_timeout: Duration,
    max_lifetime: Duration,
}

impl Lifetimes {
    /// The life of one session.
    pub(super) fn drawn_lifetime(self) -> Duration {
        let share = 1.0 - LIFETIME_JITTER * fastrand::f64();
        self.max_lifetime.mul_f64(share)
    }
}

/// How full a pool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Sessions on loan, those included that are being retired.
    pub in_use: u32,
    /// Sessions that wait to be used.
    pub idle: u32,
    /// Sessions at most.
    pub limit: u32,
    /// Calls that wait for one.
    pub waiting: u32,
}

/// The pool. Clones share it.
#[derive(Clone)]
pub(crate) struct Sessions {
    pub(super) pool: Pool<SessionManager>,
    /// Told of each session that comes back.
    pub(super) returned: Arc<Notify>,
    max_wait: Option<Duration>,
}

impl Sessions {
    /// A pool of sessions with `database`, none of them opened yet.
    ///
    /// # Errors
    /// When the pool cannot be built.
    pub(crate) fn new(
        database: &Database,
        options: PoolOptions,
        resolver: Resolver,
        runtime: Handle,
    ) -> Result<Self, DatabaseError> {
        let limits = options.limits;
        let mut database = database.clone();
        database.name_sessions(options.role);
        if let Some(limits) = limits {
            database.limit_statements(limits.statement_limit, limits.lock_limit);
        }
        let parameter_types = database.transaction_pooler.then(ParameterTypes::default);
        let connect_timeout = limits.map(|it| it.connect_timeout);
        let dialer = Dialer::new(database, resolver, runtime.clone(), connect_timeout);
        let lifetimes = limits.map(|limits| Lifetimes {
            idle_timeout: limits.idle_timeout,
            max_lifetime: limits.max_lifetime,
        });
        let manager = SessionManager::new(dialer, runtime.clone(), lifetimes, parameter_types);
        let max_wait = limits.map(|it| it.max_wait);
        // Opening and checking a session end by themselves.
        let timeouts = Timeouts {
            wait: max_wait,
            create: None,
            recycle: None,
        };
        let pool = Pool::builder(manager)
            .max_size(options.max_size as usize)
            .queue_mode(QueueMode::Lifo)
            .timeouts(timeouts)
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| DatabaseError::Pool(error.to_string()))?;
        if let Some(lifetimes) = lifetimes {
            runtime.spawn(sweep(pool.weak(), lifetimes.idle_timeout));
        }
        Ok(Self {
            pool,
            returned: Arc::default(),
            max_wait,
        })
    }

    /// Whether a pooler stands between, so that its sessions are not Postgres'.
    pub(crate) fn are_a_poolers(&self) -> bool {
        self.pool.manager().parameter_types.is_some()
    }

    /// How full it is now.
    pub(crate) fn usage(&self) -> Usage {
        let status = self.pool.status();
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Usage {
            in_use: number(status.size.saturating_sub(status.available)),
            idle: number(status.available),
            limit: number(status.max_size),
            waiting: number(status.waiting),
        }
    }

    /// A session on loan: the one that came back last, or a new one.
    ///
    /// # Errors
    /// When none is free, or to be had, in time.
    pub(crate) async fn acquire(&self) -> Result<Session, DatabaseError> {
        let until = self.max_wait.map(|wait| Instant::now() + wait);
        loop {
            let error = match self.pool.get().await {
                Ok(object) => return Ok(Session::new(object, self.clone())),
                Err(PoolError::Backend(error)) => error,
                Err(PoolError::Timeout(TimeoutType::Wait)) => {
                    return Err(DatabaseError::PoolExhausted);
                }
                Err(other) => return Err(DatabaseError::Pool(other.to_string())),
            };
            // The naive side has no limit, and no such patience either: what is refused there fails.
            let Some(until) = until.filter(|_| self.may_wait_for_another(&error)) else {
                return Err(DatabaseError::Connect(error));
            };
            if timeout_at(until, self.returned.notified()).await.is_err() {
                return Err(DatabaseError::NoMoreSessions(error));
            }
        }
    }

    /// No session that was opened before is used again unasked.
    pub(crate) fn doubt(&self) {
        self.pool.manager().trust().doubt(Instant::now());
    }

    /// A server that refuses one more session, for the password or their number, may be well with those it has.
    fn may_wait_for_another(&self, error: &ConnectError) -> bool {
        error.spares_other_sessions() && self.pool.manager().trust().is_good(Instant::now())
    }
}

/// Closes what has been idle for too long, or is too old, until the pool is gone.
async fn sweep(pool: WeakPool<SessionManager>, idle_timeout: Duration) {
    let pause = (idle_timeout / 4).min(MAX_SWEEP_PAUSE);
    loop {
        sleep(pause).await;
        let Some(pool) = pool.upgrade() else { return };
        let manager = pool.manager();
        pool.retain(|connection, metrics| !manager.is_spent(connection, metrics.last_used()));
    }
}
