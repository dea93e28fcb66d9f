//! An experiment as it stands in its file, validated.

mod fault;
mod playable;
mod replication;

use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr};

pub use fault::{Fault, Kind, Target};
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
