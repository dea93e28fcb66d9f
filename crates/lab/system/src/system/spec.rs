//! What a system is made of, as data.

use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use super::Contender;
use crate::plan::{Replication, Target};
use crate::stage::Service;

#[derive(Debug, Clone)]
pub struct SystemSpec {
    pub worker: WorkerSpec,
    /// So many of it. The first is the one that can be broken, the others are as well as processes are.
    pub workers: NonZeroU32,
    /// On the same database, each with a journal of its own. Containers and nodes have the first alone.
    pub apis: Vec<ApiSpec>,
    /// Before which dependencies a breakable link stands.
    pub linked: BTreeSet<Target>,
    /// Of the links' random choices.
    pub seed: u64,
    /// Whether the worker moves: then a second one needs room beside the first.
    pub replaced: bool,
    /// How Postgres' standbys follow; none: it is one server. On processes only.
    pub replication: Option<Replication>,
    /// Run by Postgres' owner, and in force after a restart, before anything else is there.
    pub tuning: &'static [&'static str],
}

impl SystemSpec {
    /// Without a link.
    pub fn new(worker: WorkerSpec, apis: Vec<ApiSpec>) -> Self {
        Self {
            worker,
            workers: NonZeroU32::MIN,
            apis,
            linked: BTreeSet::new(),
            seed: 0,
            replaced: false,
            replication: None,
            tuning: &[],
        }
    }

    pub(super) fn policies(&self) -> &str {
        self.apis.first().map_or("", |api| &api.policies)
    }
}

#[derive(Debug, Clone, Copy)]
pub struct WorkerSpec {
    /// How long it works on a call.
    pub delay: Duration,
    /// Works done at once, the rest wait; none: as many as arrive.
    pub capacity: Option<NonZeroU32>,
    /// For how long it has less of it after its start; none: it has all at once.
    pub warmup: Option<Duration>,
    /// With which arguments this program stands in for it; none: it is the real one.
    pub stand_in: Option<&'static [&'static str]>,
}

impl WorkerSpec {
    /// The real one, which takes as many calls as arrive.
    pub fn new(delay: Duration) -> Self {
        Self {
            delay,
            capacity: None,
            warmup: None,
            stand_in: None,
        }
    }

    pub(super) fn variables(&self) -> [(&'static str, String); 3] {
        let capacity = self.capacity.map(|places| places.to_string());
        let time = |time: Duration| format!("{}ms", time.as_millis());
        [
            ("HOLDFAST_WORK_DELAY", time(self.delay)),
            ("HOLDFAST_WORK_CAPACITY", capacity.unwrap_or_default()),
            (
                "HOLDFAST_WORK_WARMUP",
                self.warmup.map(time).unwrap_or_default(),
            ),
        ]
    }
}

#[derive(Debug, Clone, Default)]
pub struct ApiSpec {
    /// Of its folder and its log.
    pub name: String,
    pub policies: String,
    /// What it sees beside what every API does.
    pub variables: Vec<(&'static str, String)>,
    /// The dependency that it is told to find where nobody is.
    pub without: Option<Part>,
    /// Started in its place; it sees nothing of ours.
    pub contender: Option<Contender>,
}

impl ApiSpec {
    /// Ours, with these policies and nothing else.
    pub fn new(name: impl Into<String>, policies: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            policies: policies.into(),
            ..Self::default()
        }
    }
}

/// What can be broken by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    Worker,
    Db,
    /// An API, counted from 0.
    Api(usize),
}

impl Part {
    pub fn all(apis: usize) -> Vec<Self> {
        let apis = (0..apis).map(Self::Api);
        [Self::Worker, Self::Db].into_iter().chain(apis).collect()
    }

    pub fn service(self) -> Service {
        match self {
            Self::Worker => Service::Worker,
            Self::Db => Service::Db,
            Self::Api(_) => Service::Api,
        }
    }
}

/// As an experiment's file calls it; of a node, that which calls are sent to.
impl From<Target> for Part {
    fn from(target: Target) -> Self {
        match target {
            Target::Worker => Self::Worker,
            Target::Database | Target::Standby => Self::Db,
            Target::Api | Target::Node => Self::Api(0),
            Target::Replica(number) => Self::Api(number.saturating_sub(1)),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Worker => f.pad("worker"),
            Self::Db => f.pad("db"),
            Self::Api(index) => f.pad(&format!("api-{}", index + 1)),
        }
    }
}
