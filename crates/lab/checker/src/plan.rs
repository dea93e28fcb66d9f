//! An experiment as it stands in its file, validated.

mod fault;
mod playable;

use std::num::NonZeroU32;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr};

pub(crate) use fault::KindName;
pub use fault::{Fault, Kind, Target};

pub use super::metric::{Expectation, Metric, Unit, Window};
use crate::arrivals::Arrivals;
use crate::stage::StageKind;
use crate::time::{OptionalTime, Time};

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
    pub system: System,
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
    pub fn of_pair(&self, pair: u64) -> Self {
        let mut experiment = self.clone();
        experiment.load.seed = experiment.load.seed.wrapping_add(pair);
        experiment
    }
}

/// What is played on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct System {
    /// How long the worker works on a call.
    #[serde(with = "Time")]
    pub work_delay: Duration,
    /// Works done at once by the worker, the rest wait; none: as many as arrive.
    pub work_capacity: Option<NonZeroU32>,
    /// For how long a worker that was started has less of its capacity, a tenth to begin with; none: it has all at once.
    #[serde(with = "OptionalTime")]
    pub work_warmup: Option<Duration>,
    /// Workers behind the API. What hurts the worker hurts the first of them.
    pub workers: NonZeroU32,
    /// Postgres is a primary and two standbys under Patroni, and this is how they follow; none: it is one server.
    pub replication: Option<Replication>,
    /// Laid over the experiments' policy file, key by key.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub policies: toml::Table,
}

impl Default for System {
    fn default() -> Self {
        Self {
            work_delay: Duration::from_millis(200),
            work_capacity: None,
            work_warmup: None,
            workers: NonZeroU32::MIN,
            replication: None,
            policies: toml::Table::new(),
        }
    }
}

/// Whether a commit waits for a standby.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Replication {
    /// For one of two, as long as there is one.
    Synchronous,
    /// For none.
    Asynchronous,
}

/// What arrives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// Requests per second, on average.
    pub rate: f64,
    /// How they arrive.
    #[serde(default)]
    pub arrivals: Arrivals,
    /// For how long they arrive, from before the first fault until after the last.
    #[serde(rename = "for", with = "Time")]
    pub lasts: Duration,
    /// How long a client waits for its answer; then it gives up.
    #[serde(default = "five_seconds", with = "Time")]
    pub patience: Duration,
    /// How long a client waits for one try; then it closes the connection.
    // And asks again, if it does so. None: for as long as it has patience.
    #[serde(
        default,
        with = "OptionalTime",
        skip_serializing_if = "Option::is_none"
    )]
    pub try_for: Option<Duration>,
    /// Of the arrivals and of all else that is random.
    #[serde(default = "one")]
    pub seed: u64,
    /// After how long a client that got an error, or no answer at all, asks again with the same key.
    #[serde(
        default,
        with = "OptionalTime",
        skip_serializing_if = "Option::is_none"
    )]
    pub asks_again: Option<Duration>,
    /// Clients that close the connection before they have an answer.
    pub leaving: Option<Leaving>,
}

fn five_seconds() -> Duration {
    Duration::from_secs(5)
}

fn one() -> u64 {
    1
}

/// Clients that close the connection before they have an answer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Leaving {
    /// How many of all.
    pub share: f64,
    /// After how long.
    #[serde(with = "Time")]
    pub after: Duration,
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

impl Side {
    /// Both endpoints of ours, in the order in which they are told.
    pub const BOTH: [Self; 2] = [Self::Naive, Self::Resilient];

    /// As it stands in files and on the screen.
    pub fn name(self) -> &'static str {
        self.into()
    }

    pub fn path(self) -> &'static str {
        match self {
            Self::Naive => "/naive/process",
            Self::Resilient | Self::Contender => "/process",
        }
    }
}
