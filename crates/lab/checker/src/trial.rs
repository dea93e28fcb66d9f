//! What was seen of one side of an experiment, as data. Times count from the start of the load.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::plan::{Metric, Side, Target};
use super::seconds;

/// One side, played.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Which.
    pub side: Side,
    /// The bound that the API publishes with the experiment's own policies.
    #[serde(with = "seconds")]
    pub bound: Duration,
    /// For how long requests arrived.
    #[serde(with = "seconds")]
    pub lasts: Duration,
    /// The faults as they were observed, in the order of the experiment's.
    pub faults: Vec<FaultWindow>,
    /// Every change of a breaker's state, as the API logged it.
    pub transitions: Vec<Transition>,
    /// Taken several times a second.
    pub samples: Vec<Sample>,
    /// Every request, in the order of their intended starts.
    pub calls: Vec<Call>,
    /// Answers that are none of the contract's; none: there was no HTTP to hold against it.
    pub breaches: Option<Vec<Breach>>,
    /// What Postgres says at the end.
    #[serde(alias = "ledger")]
    pub durability: Durability,
    /// What the load generator itself cost.
    pub generator: Generator,
    /// Of somebody else's API; none: it is ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contender: Option<Stranger>,
}

/// What is known of an API that is not ours, beside its answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stranger {
    /// Figures for which it does not tell enough.
    pub untold: Vec<Metric>,
    /// How it ended when it was asked to.
    pub ending: Observation,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Its number, which its body carries, from 0.
    pub number: u64,
    /// When it was meant to be sent.
    #[serde(with = "seconds")]
    pub intended: Duration,
    /// When it was sent.
    #[serde(with = "seconds")]
    pub sent: Duration,
    /// When its client had an answer, or stopped waiting.
    #[serde(with = "seconds")]
    pub ended: Duration,
    /// Whether it is none of the usual load's, but of a surge.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub surge: bool,
    /// How it ended.
    pub end: Completion,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "snake_case")]
pub enum Completion {
    /// With an HTTP answer, of whatever status.
    Answered {
        /// The HTTP status.
        status: u16,
        /// Of the request.
        request_id: Option<Uuid>,
        /// Whether it carries the worker's result.
        has_result: bool,
        /// `CODE:REASON` of all that the answer had to do without.
        degraded: Vec<String>,
        /// Where it says the promise is durable.
        recorded_in: Option<String>,
    },
    /// The client's patience was over.
    GivenUp,
    /// Nobody listened.
    Refused,
    /// The connection ended in the middle.
    Reset,
    /// The client left, as it was meant to.
    Left,
    /// The client could not open a connection: no file was left for one. The load generator's fault.
    NoFile,
}

/// What is wrong with an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breach {
    /// Of which request.
    pub number: u64,
    /// In words, such as `202 with no Retry-After`.
    pub what: String,
}

/// A fault as it was observed, by a probe of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaultWindow {
    /// Such as `worker kill`.
    pub name: String,
    /// What was hurt.
    pub target: Target,
    /// From when on it was in force.
    #[serde(with = "seconds")]
    pub from: Duration,
    /// When its end began; of those that end by themselves, when they were seen to be over.
    #[serde(with = "seconds")]
    pub to: Duration,
    /// When it was seen to be over, or was not waited for any longer. Runs that are older than this field do not say.
    #[serde(default, with = "seconds")]
    pub recovered: Duration,
    /// What the probe saw while it was in force.
    pub live: Observation,
    /// What the probe saw when it was over.
    pub healed: Observation,
}

/// What a probe saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// Whether it is what had to be seen.
    pub holds: bool,
    /// In words, such as `its port refuses`.
    pub seen: String,
}

/// A breaker's change of state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transition {
    /// When.
    #[serde(with = "seconds")]
    pub at: Duration,
    /// `worker` or `database`.
    pub dependency: String,
    /// `closed`, `open`, `half_open`.
    pub from: String,
    /// Likewise.
    pub to: String,
}

/// A look at the system from outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// When.
    #[serde(with = "seconds")]
    pub at: Duration,
    /// Requests that have arrived at the worker so far; none: it could not tell.
    pub worker_arrivals: Option<u64>,
    /// Requests accepted and not done yet, as the API says.
    pub open_work: Option<u64>,
    /// Entries in the API's journal.
    pub journal_entries: Option<u64>,
    /// Workers that the API does not call for now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ejected: Option<u64>,
}

/// What Postgres says at the end, when all had time to be done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Durability {
    /// Requests that were promised to clients.
    pub promised: u64,
    /// Promised or stored, and not done: on the naive side, its orphans.
    pub lost: u64,
    /// Rows beyond the first for the same client's request.
    pub duplicates: u64,
    /// Requests given up as failed.
    pub failed: u64,
    /// Rows of this side that are done.
    pub done: u64,
}

/// What the load generator itself cost, and how punctual it was.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Generator {
    /// Processor time for each request, in microseconds.
    pub cpu_us_per_request: f64,
    /// From the intended start to the sending, 99th percentile, in milliseconds.
    pub late_p99_ms: f64,
    /// The longest of these, in milliseconds.
    pub late_max_ms: f64,
    /// Most calls under way at once.
    pub most_under_way: u64,
}

impl Call {
    /// From the intended start to the end.
    #[must_use]
    pub fn latency(&self) -> Duration {
        self.ended.saturating_sub(self.intended)
    }

    /// The HTTP status; none: no answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.end.status()
    }

    /// Whether it says something of the system: its client did not leave, and it was sent.
    #[must_use]
    pub fn is_telling(&self) -> bool {
        !matches!(self.end, Completion::Left | Completion::NoFile)
    }

    /// Whether it was promised something: 200 or 202.
    #[must_use]
    pub fn is_promised(&self) -> bool {
        self.end.is_promised()
    }

    /// Whether it was answered 200 and nothing was missing.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        matches!(&self.end, Completion::Answered { status: 200, degraded, .. } if degraded.is_empty())
    }
}

impl Completion {
    /// The HTTP status; none: no answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Answered { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether something was promised: 200 or 202.
    #[must_use]
    pub fn is_promised(&self) -> bool {
        matches!(self.status(), Some(200 | 202))
    }
}
