//! An experiment as it stands in its file, validated.

mod playable;
mod replication;

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr};

pub use replication::Replication;

pub use super::metric::{Expectation, Metric, Unit, Window};
use crate::arrivals::Arrivals;
use crate::stage::StageKind;

/// What is asked, what is done, and what each side must show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    /// The file's name, without its ending.
    pub name: String,
    /// A few words.
    pub title: String,
    /// What a student should be able to answer afterwards.
    pub question: String,
    /// What is expected to be seen, and why.
    pub prediction: String,
    /// Where it can be played.
    pub stages: Vec<StageKind>,
    /// What is played on.
    pub system: System,
    /// What arrives.
    pub load: Load,
    /// What is broken, in the order of their beginnings. None: the experiment can prove nothing.
    pub faults: Vec<Fault>,
    /// What the naive side must show: how it falls.
    pub naive: Vec<Expectation>,
    /// What the resilient side must show: that it holds, and what that costs.
    pub resilient: Vec<Expectation>,
}

impl Experiment {
    /// As it is played the `pair`th time, counted from 0: with other arrivals each time, the same on both sides. With one
    /// seed for all, an interval over them would not tell of the chance in what arrives.
    #[must_use]
    pub fn of_pair(&self, pair: u64) -> Self {
        let mut experiment = self.clone();
        experiment.load.seed = experiment.load.seed.wrapping_add(pair);
        experiment
    }
}

/// `[system]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct System {
    /// How long the worker works on a call.
    pub work_delay: Duration,
    /// Works done at once, the rest wait; none: as many as arrive.
    pub work_capacity: Option<NonZeroU32>,
    /// For how long a worker that was started has less of it, a tenth to begin with; none: it has all at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_warmup: Option<Duration>,
    /// Workers behind the API. What hurts the worker hurts the first of them.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub workers: NonZeroU32,
    /// How Postgres' standbys follow its primary; none: there is one server, without standbys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replication: Option<Replication>,
    /// Laid over the experiments' policy file, key by key.
    pub policies: toml::Table,
}

fn one() -> NonZeroU32 {
    NonZeroU32::MIN
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_one(workers: &NonZeroU32) -> bool {
    *workers == NonZeroU32::MIN
}

/// `[load]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// Requests per second, on average.
    pub rate: f64,
    /// How they arrive.
    pub arrivals: Arrivals,
    /// For how long they arrive, from before the first fault until after the last.
    pub lasts: Duration,
    /// How long a client waits for its answer; then it gives up.
    pub patience: Duration,
    /// Of the arrivals and of all else that is random.
    pub seed: u64,
    /// How long a client waits for one try; then it closes the connection, and asks again if it does so. None: for as long
    /// as it has patience.
    pub try_for: Option<Duration>,
    /// After how long a client without an answer, or with an error, asks again with the same key; none: it does not.
    pub asks_again: Option<Duration>,
    /// Clients that leave in the middle of their call.
    pub leaving: Option<Leaving>,
}

/// Clients that close the connection before they have an answer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Leaving {
    /// How many of all, from 0 to 1.
    pub share: f64,
    /// After how long.
    pub after: Duration,
}

/// `[[fault]]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// What is hurt.
    pub target: Target,
    /// How.
    pub kind: Kind,
    /// When, from the start of the load.
    pub at: Duration,
    /// For how long.
    pub lasts: Duration,
}

/// What can be hurt.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    ValueEnum,
    Display,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Target {
    /// The worker, or the link to it.
    Worker,
    /// Postgres, or the link to it; its primary, where it is replicated.
    Database,
    /// Both standbys of Postgres, where it is replicated. There only.
    Standby,
    /// The API.
    Api,
    /// The node of a Swarm that Postgres' primary is on, with an API and a worker. There only.
    Node,
    /// Of several APIs on one database this one, counted from 1. Torture's alone: no file names it.
    #[serde(skip_deserializing)]
    #[value(skip)]
    #[strum(to_string = "api-{0}")]
    Replica(usize),
}

/// How something is hurt.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Kind {
    /// SIGKILL; started again at the end.
    Kill,
    /// Stopped with its port open; continued at the end.
    Pause,
    /// Killed and started again at once; the fault is over when it is ready.
    Restart,
    /// Killed, and another takes its name, with another address. Containers only, the worker only.
    Replace,
    /// Its cable is out: all on it lives, and nobody hears of it. A node, and Postgres where it is replicated: the primary is
    /// cut off from who decides which node leads, standbys are cut off from their primary.
    Partition,
    /// The primary hands the lead to a standby, in order. Postgres only, where it is replicated.
    Switchover,
    /// What runs there is ended in order, and nothing is started there. A node only.
    Drain,
    /// The link refuses connections and resets those there are.
    Refuse,
    /// The link drops what it is given: new connections get no answer to their SYN, existing ones fall silent.
    Blackhole,
    /// The link holds each answer back.
    Latency {
        /// By how long.
        delay: Duration,
        /// Give or take, at random.
        jitter: Duration,
        /// Of how many requests, from 0 to 1.
        share: f64,
    },
    /// The link resets the connection in the middle of an answer.
    Reset {
        /// How many bytes of the answer still pass.
        after_bytes: usize,
        /// Of how many requests, from 0 to 1.
        share: f64,
    },
    /// The link answers with bytes of no protocol.
    Garbage {
        /// How many requests, from 0 to 1.
        share: f64,
    },
    /// The link answers with this HTTP status. The worker's only.
    Status {
        /// 400 to 599.
        code: u16,
        /// How many requests, from 0 to 1.
        share: f64,
    },
    /// Somebody else holds a lock on the table of requests: statements wait. Postgres only.
    Lock,
    /// Somebody else has taken all of Postgres' connections. Postgres only.
    Connections,
    /// Postgres takes no writes. Postgres only.
    ReadOnly,
    /// All sessions end, and what answers from then on lacks the rows of the last moment, as a standby does that lagged when
    /// it took over. Postgres only; torture's alone.
    LossyFailover,
    /// Nothing is broken: another client sends so much more. The API's only.
    Surge {
        /// Requests per second, beside the usual load.
        rate: f64,
        /// `u` of their `Priority`; none: they do not say.
        priority: Option<u8>,
    },
}

/// Which endpoint.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Display, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Side {
    /// `/naive/process`.
    Naive,
    /// `/process`.
    Resilient,
    /// `/process` of somebody else's API.
    Contender,
}

impl Kind {
    /// Whether it hurts every request, and not a share of them.
    #[must_use]
    pub fn affects_all(self) -> bool {
        match self {
            Self::Latency { share, .. }
            | Self::Reset { share, .. }
            | Self::Garbage { share }
            | Self::Status { share, .. } => share >= 1.0,
            _ => true,
        }
    }

    /// Whether the process itself ends, and another is started at the end.
    #[must_use]
    pub fn ends_process(self) -> bool {
        matches!(self, Self::Kill | Self::Restart | Self::Replace)
    }

    /// As it stands in files and on the screen.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl Fault {
    /// When it is meant to be over, from the start of the load.
    #[must_use]
    pub fn end(&self) -> Duration {
        self.at.saturating_add(self.lasts)
    }
}

impl fmt::Display for Fault {
    /// Such as `worker kill`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.target, self.kind.name())
    }
}

impl Side {
    /// Both endpoints of ours, in the order in which they are told.
    pub const BOTH: [Self; 2] = [Self::Naive, Self::Resilient];

    /// As it stands in files and on the screen.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The endpoint's path.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Naive => "/naive/process",
            Self::Resilient | Self::Contender => "/process",
        }
    }
}
