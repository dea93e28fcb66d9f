//! What is broken in an experiment, and how.

use std::fmt;
use std::time::Duration;

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumDiscriminants, IntoStaticStr};

/// `[[fault]]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    pub target: Target,
    pub kind: Kind,
    /// When, from the start of the load.
    pub at: Duration,
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

/// How something is hurt. What is said of each stands in the files' schema, too.
#[derive(
    Debug, Clone, Copy, PartialEq, Serialize, Deserialize, IntoStaticStr, EnumDiscriminants,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[strum_discriminants(
    name(KindName),
    vis(pub(crate)),
    derive(Deserialize, JsonSchema),
    serde(rename_all = "snake_case"),
    doc = "How something is hurt."
)]
pub enum Kind {
    /// SIGKILL; started again at the end.
    Kill,
    /// Stopped with its port open; continued at the end.
    Pause,
    /// Killed and started again at once.
    // The fault is over when it is ready.
    Restart,
    /// Killed, and another takes its name, with another address.
    // Containers only, the worker only.
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
    // New connections get no answer to their SYN, existing ones fall silent.
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
    /// The link answers with an HTTP status.
    // The worker's only.
    Status {
        /// 400 to 599.
        code: u16,
        /// How many requests, from 0 to 1.
        share: f64,
    },
    /// Somebody else holds a lock on the table of requests.
    Lock,
    /// Somebody else has taken all of Postgres' connections.
    Connections,
    /// Postgres takes no writes.
    ReadOnly,
    /// Nothing is broken: another client sends so much more.
    // The API's only.
    Surge {
        /// Requests per second, beside the usual load.
        rate: f64,
        /// `u` of their `Priority`; none: they do not say.
        priority: Option<u8>,
    },
    /// All sessions end, and what answers from then on lacks the rows of the last moment, as a standby does that lagged when
    /// it took over. Postgres only; torture's alone.
    #[strum_discriminants(serde(skip))]
    LossyFailover,
}

impl Kind {
    /// Whether it hurts every request, and not a share of them.
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
    pub fn ends_process(self) -> bool {
        matches!(self, Self::Kill | Self::Restart | Self::Replace)
    }

    /// As it stands in files and on the screen.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl Fault {
    /// When it is meant to be over, from the start of the load.
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
