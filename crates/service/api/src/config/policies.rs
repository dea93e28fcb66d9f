//! The policy file as types. Every key is required here: the defaults stand in `deploy/policies.toml`, once.

use std::num::NonZeroU32;
use std::time::Duration;

use holdfast_policy::{BreakerConfig, BulkheadConfig, HedgeConfig, PolicyConfig, RetryConfig};
use ipnet::IpNet;
use jiff::fmt::serde::unsigned_duration::friendly::compact::required as duration;
use reqwest::header::HeaderName;
use serde::Deserialize;

/// The policies in force.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policies {
    /// `/process` as a whole.
    pub process: ProcessPolicy,
    /// Calls to the worker.
    pub worker: WorkerPolicy,
    /// Calls to Postgres.
    pub database: DatabasePolicy,
    /// The journal that stands in for Postgres.
    pub journal: JournalPolicy,
    /// Work that is done later.
    pub recovery: RecoveryPolicy,
    /// Requests that are sent again.
    pub idempotency: IdempotencyPolicy,
}

/// `[process]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessPolicy {
    /// Calls of `/process` at once.
    pub max_in_flight: u32,
    /// Networks whose calls may be more urgent than those that do not say.
    pub trusted_priorities: Vec<IpNet>,
    /// What one client may have.
    pub rate_limit: RateLimitPolicy,
}

/// `[process.rate_limit]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimitPolicy {
    /// Whether there is one.
    pub enabled: bool,
    /// Calls of one client, all at once if it likes, within `window`.
    pub requests: NonZeroU32,
    /// In which time a client that has used up its share has all of it again.
    #[serde(with = "duration")]
    pub window: Duration,
    /// By what clients are told apart.
    pub client: ClientBy,
    /// Clients that have a share of their own; all others have one together.
    pub max_clients: usize,
}

/// By what clients are told apart.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum ClientBy {
    /// The peer's address; of IPv6 the network of 64 bits, which is one household's.
    Address,
    /// The value of a request header; the address where it is missing.
    Header(HeaderName),
}

impl TryFrom<String> for ClientBy {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text == "address" {
            return Ok(Self::Address);
        }
        let name = text.strip_prefix("header:").map(str::trim);
        let name = name.and_then(|name| HeaderName::try_from(name).ok());
        name.map(Self::Header).ok_or(format!(
            "`{text}` is neither \"address\" nor \"header:NAME\""
        ))
    }
}

/// `[worker]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkerPolicy {
    /// Time to open a connection, name resolution included.
    #[serde(with = "duration")]
    pub connect_timeout: Duration,
    /// Time for one try.
    #[serde(with = "duration")]
    pub attempt_timeout: Duration,
    /// Time for the whole call.
    #[serde(with = "duration")]
    pub deadline: Duration,
    /// Whether the work may be done twice.
    pub idempotent: bool,
    /// What to do when the worker gives no result.
    pub on_unavailable: OnWorkerUnavailable,
    /// Retries and their budget.
    pub retry: RetryConfig,
    /// Second attempts beside slow ones.
    #[serde(default, with = "holdfast_policy::config::optional")]
    pub hedge: Option<HedgeConfig>,
    /// When to stop calling.
    pub breaker: BreakerConfig,
    /// Attempts at once.
    pub bulkhead: BulkheadConfig,
}

/// What to do when the worker gives no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnWorkerUnavailable {
    /// Accept the request and do the work later: 202.
    Defer,
    /// Refuse it: 503.
    Reject,
}

/// `[database]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabasePolicy {
    /// Time to open a session: name resolution, TCP and handshake.
    #[serde(with = "duration")]
    pub connect_timeout: Duration,
    /// Time for one try, and the session's `statement_timeout`.
    #[serde(with = "duration")]
    pub attempt_timeout: Duration,
    /// Time for the whole call.
    #[serde(with = "duration")]
    pub deadline: Duration,
    /// What to do when Postgres cannot record.
    pub on_unavailable: OnDatabaseUnavailable,
    /// The sessions.
    pub pool: PoolConfig,
    /// Retries and their budget.
    pub retry: RetryConfig,
    /// When to stop calling.
    pub breaker: BreakerConfig,
    /// Attempts at once.
    pub bulkhead: BulkheadConfig,
}

/// What to do when Postgres cannot record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDatabaseUnavailable {
    /// Record in the replica's journal.
    Journal,
    /// Refuse the request: 503.
    Reject,
}

/// `[database] pool`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolConfig {
    /// Sessions at most.
    pub max_size: u32,
    /// Replicas of the API that have as many each.
    pub replicas: u32,
    /// How long a call waits for a free one.
    #[serde(with = "duration")]
    pub max_wait: Duration,
    /// How long an unused one is kept.
    #[serde(with = "duration")]
    pub idle_timeout: Duration,
    /// How long any is kept.
    #[serde(with = "duration")]
    pub max_lifetime: Duration,
}

/// `[journal]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalPolicy {
    /// Time for one record to be durable.
    #[serde(with = "duration")]
    pub deadline: Duration,
    /// Bytes it may hold.
    pub max_bytes: u64,
    /// Records that share one fsync, at most.
    pub max_batch: u32,
}

/// `[recovery]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecoveryPolicy {
    /// How long a request belongs to the caller or the replica that works on it.
    #[serde(with = "duration")]
    pub lease: Duration,
    /// Open requests beyond which new ones are refused.
    pub max_open: u64,
    /// Own failures after which a request is given up.
    pub max_attempts: u32,
    /// Requests whose work is done later, at once.
    pub max_concurrent: u32,
    /// Failed requests that are owed again per second once an operator has ordered that of all.
    pub requeue_per_second: f64,
}

/// `[idempotency]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdempotencyPolicy {
    /// How long finished requests and their keys are kept.
    #[serde(with = "duration")]
    pub keep: Duration,
}

impl WorkerPolicy {
    /// The part the policy crate enforces. A live call waits for its slot before it is recorded, and its worker has the whole
    /// deadline all the same; so a wait that is longer than what the deadline leaves is cut, not refused.
    #[must_use]
    pub fn policy(&self) -> PolicyConfig {
        let mut bulkhead = self.bulkhead.clone();
        let spare = self.deadline.saturating_sub(self.attempt_timeout);
        bulkhead.max_wait = bulkhead.max_wait.min(spare);
        if spare.is_zero() {
            bulkhead.max_waiting = 0;
        }
        PolicyConfig {
            attempt_timeout: Some(self.attempt_timeout),
            deadline: self.deadline,
            idempotent: self.idempotent,
            retry: Some(self.retry.clone()),
            hedge: self.hedge.clone(),
            breaker: Some(self.breaker.clone()),
            bulkhead: Some(bulkhead),
        }
    }
}

impl DatabasePolicy {
    /// The part the policy crate enforces. Every statement of the store may be repeated: inserts ignore a row that is
    /// there, updates touch unfinished rows only.
    #[must_use]
    pub fn policy(&self) -> PolicyConfig {
        PolicyConfig {
            attempt_timeout: Some(self.attempt_timeout),
            deadline: self.deadline,
            idempotent: true,
            retry: Some(self.retry.clone()),
            // A slow statement is one that waits in Postgres: a second would wait behind it.
            hedge: None,
            breaker: Some(self.breaker.clone()),
            bulkhead: Some(self.bulkhead.clone()),
        }
    }
}

impl Policies {
    /// The time within which every call of `/process` is answered, whatever its dependencies do: the request is
    /// recorded, the worker is called, the result is recorded; what Postgres cannot record the journal does.
    #[must_use]
    pub fn worst_case(&self) -> Duration {
        self.recording() * 2 + self.worker.deadline
    }

    /// What must remain of that time when the worker has answered, so that its result can be recorded.
    #[must_use]
    pub fn reserve(&self) -> Duration {
        self.recording()
    }

    /// Time to record something, wherever.
    fn recording(&self) -> Duration {
        self.database.deadline + self.journal.deadline
    }
}
