//! The file as serde reads it, and as an editor is told of it: each key with its type and its default.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Table;

use super::text::{Figure, Several, Time};
use crate::arrivals::Arrivals;
use crate::plan::{Replication, Target, Window};
use crate::stage::StageKind;

/// An experiment: a question, a prediction, a fault under load, and what each side must show.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// A few words.
    pub(super) title: String,
    /// What a student should be able to answer afterwards.
    pub(super) question: String,
    /// What is expected to be seen, and why.
    pub(super) prediction: String,
    /// Where it can be played.
    #[serde(default = "both")]
    pub(super) stages: Vec<StageKind>,
    /// What is played on.
    #[serde(default)]
    pub(super) system: System,
    /// What arrives.
    pub(super) load: Load,
    /// What is broken, and when.
    #[serde(default)]
    pub(super) fault: Vec<Fault>,
    /// What the naive side must show: how it falls.
    pub(super) naive: Expectations,
    /// What the resilient side must show: that it holds, and what that costs.
    pub(super) resilient: Expectations,
}

/// What is played on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct System {
    /// How long the worker works on a call.
    pub(super) work_delay: Time,
    /// Works done at once by the worker, the rest wait; none: as many as arrive.
    pub(super) work_capacity: Option<NonZeroU32>,
    /// For how long a worker that was started has less of its capacity, a tenth to begin with; none: it has all at once.
    pub(super) work_warmup: Option<Time>,
    /// Workers behind the API. What hurts the worker hurts the first of them.
    pub(super) workers: NonZeroU32,
    /// Postgres is a primary and two standbys under Patroni, and this is how they follow; none: it is one server.
    pub(super) replication: Option<Replication>,
    /// Laid over the experiments' policy file, key by key.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub(super) policies: Table,
}

/// What arrives.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Load {
    /// Requests per second, on average.
    pub(super) rate: f64,
    /// How they arrive.
    #[serde(default = "poisson")]
    pub(super) arrivals: Arrivals,
    /// For how long they arrive, from before the first fault until after the last.
    #[serde(rename = "for")]
    pub(super) lasts: Time,
    /// How long a client waits for its answer; then it gives up.
    #[serde(default = "patience")]
    pub(super) patience: Time,
    /// How long a client waits for one try; then it closes the connection.
    pub(super) try_for: Option<Time>,
    /// Of the arrivals and of all else that is random.
    #[serde(default = "seed")]
    pub(super) seed: u64,
    /// After how long a client that got an error, or no answer at all, asks again with the same key.
    pub(super) asks_again: Option<Time>,
    /// Clients that close the connection before they have an answer.
    pub(super) leaving: Option<Leaving>,
}

/// Clients that close the connection before they have an answer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Leaving {
    /// How many of all.
    pub(super) share: f64,
    /// After how long.
    pub(super) after: Time,
}

/// Something that is broken.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Fault {
    /// What is hurt.
    pub(super) target: Target,
    /// How.
    pub(super) kind: KindName,
    /// When, from the start of the load.
    pub(super) at: Time,
    /// For how long.
    #[serde(rename = "for")]
    pub(super) lasts: Time,
    /// Of `latency`: by how long an answer is held back.
    pub(super) delay: Option<Time>,
    /// Of `latency`: give or take, at random.
    pub(super) jitter: Option<Time>,
    /// Of `reset`: how many bytes of the answer still pass.
    pub(super) after_bytes: Option<usize>,
    /// Of `status`: the HTTP status.
    pub(super) code: Option<u16>,
    /// Of `latency`, `reset`, `garbage`, `status`: of how many requests.
    pub(super) share: Option<f64>,
    /// Of `surge`: requests per second, beside the usual load.
    pub(super) rate: Option<f64>,
    /// Of `surge`: the urgency that they ask for, `u` of `Priority`.
    pub(super) priority: Option<u8>,
}

/// How something is hurt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum KindName {
    /// SIGKILL; started again at the end.
    Kill,
    /// Stopped with its port open; continued at the end.
    Pause,
    /// Killed and started again at once.
    Restart,
    /// Killed, and another takes its name, with another address.
    Replace,
    /// The node's cable is out; of Postgres, where it is replicated, the primary is cut off from who decides which node leads, or
    /// its standbys are from the primary.
    Partition,
    /// Postgres' primary hands the lead to a standby.
    Switchover,
    /// What runs on the node is ended in order, and nothing is started there.
    Drain,
    /// The link refuses connections and resets those there are.
    Refuse,
    /// The link drops what it is given.
    Blackhole,
    /// The link holds each answer back.
    Latency,
    /// The link resets the connection in the middle of an answer.
    Reset,
    /// The link answers with bytes of no protocol.
    Garbage,
    /// The link answers with an HTTP status.
    Status,
    /// Somebody else holds a lock on the table of requests.
    Lock,
    /// Somebody else has taken all of Postgres' connections.
    Connections,
    /// Postgres takes no writes.
    ReadOnly,
    /// Nothing is broken: another client sends so much more.
    Surge,
}

/// What a side must show: for each figure its limits, or several.
pub(super) type Expectations = BTreeMap<String, Several<Limits>>;

/// The limits of a figure: one of them at least. Times are text, `"4s"`; counts, shares and rates are numbers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Limits {
    /// Not less than this.
    pub(super) at_least: Option<Figure>,
    /// Not more than this.
    pub(super) at_most: Option<Figure>,
    /// Of which calls.
    pub(super) during: Option<Window>,
}

impl Default for System {
    fn default() -> Self {
        Self {
            work_delay: Time(Duration::from_millis(200)),
            work_capacity: None,
            work_warmup: None,
            workers: NonZeroU32::MIN,
            replication: None,
            policies: Table::new(),
        }
    }
}

fn both() -> Vec<StageKind> {
    vec![StageKind::Local, StageKind::Compose]
}

fn poisson() -> Arrivals {
    Arrivals::Poisson
}

fn patience() -> Time {
    Time(Duration::from_secs(5))
}

fn seed() -> u64 {
    1
}
