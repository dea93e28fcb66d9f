//! What a system is made of, as data.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use super::{Contender, Wired};
use crate::stage::Service;

/// What runs.
#[derive(Debug, Clone)]
pub struct SystemSpec {
    /// The worker.
    pub worker: WorkerSpec,
    /// So many of it. The first is the one that can be broken, the others are as well as processes are.
    pub workers: NonZeroU32,
    /// On the same database, each with a journal of its own.
    pub apis: Vec<ApiSpec>,
    /// Before which dependencies a breakable wire stands.
    pub wired: Wired,
    /// Of the wires' random choices.
    pub seed: u64,
}

impl SystemSpec {
    /// Without a wire.
    pub fn new(worker: WorkerSpec, apis: Vec<ApiSpec>) -> Self {
        Self {
            worker,
            workers: NonZeroU32::MIN,
            apis,
            wired: Wired::default(),
            seed: 0,
        }
    }
}

/// The worker.
#[derive(Debug, Clone, Copy)]
pub struct WorkerSpec {
    /// How long it works on a call.
    pub delay: Duration,
    /// Works done at once, the rest wait; none: as many as arrive.
    pub capacity: Option<NonZeroU32>,
    /// With which arguments this program stands in for it; none: it is the real one.
    pub stand_in: Option<&'static [&'static str]>,
}

impl WorkerSpec {
    /// The real one, which takes as many calls as arrive.
    pub fn new(delay: Duration) -> Self {
        Self {
            delay,
            capacity: None,
            stand_in: None,
        }
    }

    /// What it is told.
    pub fn variables(&self) -> [(&'static str, String); 2] {
        let capacity = self.capacity.map(|places| places.to_string());
        [
            (
                "HOLDFAST_WORK_DELAY",
                format!("{}ms", self.delay.as_millis()),
            ),
            ("HOLDFAST_WORK_CAPACITY", capacity.unwrap_or_default()),
        ]
    }
}

/// An API.
#[derive(Debug, Clone)]
pub struct ApiSpec {
    /// Of its folder and its log.
    pub name: String,
    /// The policy file's text.
    pub policies: String,
    /// What it sees beside what every API does.
    pub variables: Vec<(&'static str, String)>,
    /// Started in its place; it sees nothing of ours.
    pub contender: Option<Contender>,
}

impl ApiSpec {
    /// Ours, with these policies and nothing else.
    pub fn new(name: impl Into<String>, policies: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            policies: policies.into(),
            variables: Vec::new(),
            contender: None,
        }
    }
}

/// What can be broken by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The worker.
    Worker,
    /// Postgres.
    Db,
    /// An API, counted from 0.
    Api(usize),
}

impl Part {
    /// Everything there is to break.
    #[must_use]
    pub fn all(apis: usize) -> Vec<Self> {
        let apis = (0..apis).map(Self::Api);
        [Self::Worker, Self::Db].into_iter().chain(apis).collect()
    }

    /// What it is a process of.
    pub fn service(self) -> Service {
        match self {
            Self::Worker => Service::Worker,
            Self::Db => Service::Db,
            Self::Api(_) => Service::Api,
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
