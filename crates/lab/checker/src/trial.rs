//! What was seen of one side of an experiment, as data. Times count from the start of the load.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::plan::{Metric, Side, Target};
use super::seconds;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
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
    #[serde(alias = "ledger")]
    pub durability: Durability,
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

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Its number, which its body carries, from 0.
    pub number: u64,
    #[serde(with = "seconds")]
    pub intended: Duration,
    #[serde(with = "seconds")]
    pub sent: Duration,
    /// When its client had an answer, or stopped waiting.
    #[serde(with = "seconds")]
    pub ended: Duration,
    /// Whether it is none of the usual load's, but of a surge.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub surge: bool,
    pub end: Completion,
}

/// How a call, or one try of it, ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "snake_case")]
pub enum Completion {
    /// With an HTTP answer, of whatever status.
    Answered(Answer),
    /// Nothing came within the time of a try, or while the client had patience.
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

/// An answer, as much of it as could be read. What is left out of the journals of runs serves checks that are made before.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Answer {
    pub status: u16,
    pub request_id: Option<Uuid>,
    /// Whether it carries the worker's result.
    pub has_result: bool,
    /// `CODE:REASON` of all that the answer had to do without.
    pub degraded: Vec<String>,
    /// Where it says the promise is durable.
    pub recorded_in: Option<String>,
    /// Of a problem body.
    #[serde(skip)]
    pub code: Option<String>,
    /// The worker's result, as JSON without idle space.
    #[serde(skip)]
    pub result: Option<String>,
    #[serde(skip)]
    pub location: Option<String>,
    /// The header `Retry-After`, in seconds.
    #[serde(skip)]
    pub retry_after: Option<u64>,
}

/// What is wrong with an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breach {
    pub number: u64,
    /// In words, such as `202 with no Retry-After`.
    pub what: String,
}

/// A fault as it was observed, by a probe of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaultWindow {
    /// Such as `worker kill`.
    pub name: String,
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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// Whether it is what had to be seen.
    pub holds: bool,
    /// In words, such as `its port refuses`.
    pub seen: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transition {
    #[serde(with = "seconds")]
    pub at: Duration,
    /// `worker` or `database`.
    pub dependency: String,
    /// `closed`, `open`, `half_open`.
    pub from: String,
    pub to: String,
}

/// A look at the system from outside.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Sample {
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

impl Trial {
    /// Of which nothing has been seen yet.
    pub fn new(side: Side, bound: Duration, lasts: Duration) -> Self {
        Self {
            side,
            bound,
            lasts,
            faults: Vec::new(),
            transitions: Vec::new(),
            samples: Vec::new(),
            calls: Vec::new(),
            breaches: None,
            durability: Durability::default(),
            generator: Generator::default(),
            contender: None,
        }
    }
}

impl Call {
    /// From the intended start to the end.
    pub fn latency(&self) -> Duration {
        self.ended.saturating_sub(self.intended)
    }

    pub fn status(&self) -> Option<u16> {
        self.end.answer().map(|answer| answer.status)
    }

    /// Whether it says something of the system: its client did not leave, and it was sent.
    pub fn is_telling(&self) -> bool {
        !matches!(self.end, Completion::Left | Completion::NoFile)
    }

    pub fn is_promised(&self) -> bool {
        self.end.is_promised()
    }

    /// Whether it was answered 200 and nothing was missing.
    pub fn is_whole(&self) -> bool {
        self.end.answer().is_some_and(Answer::is_whole)
    }
}

impl Completion {
    pub fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Answered(answer) => Some(answer),
            _ => None,
        }
    }

    pub fn is_promised(&self) -> bool {
        self.answer().is_some_and(Answer::is_promise)
    }
}

impl Answer {
    /// Whether it promises something: 200 or 202.
    pub fn is_promise(&self) -> bool {
        matches!(self.status, 200 | 202)
    }

    /// Whether it is 200 and nothing was missing.
    pub fn is_whole(&self) -> bool {
        self.status == 200 && self.degraded.is_empty()
    }
}
