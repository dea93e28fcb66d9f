//! What is sent, where, and how its clients go about it.

use std::time::Duration;

use holdfast_checker::plan::{Fault, Load, Side};
use uuid::Uuid;

use super::{Arrivals, CallHistory, Completion};
use holdfast_checker::schedule::{self, Arrival};

/// How long a client behind a load balancer keeps trying.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two of its attempts.
const PAUSE: Duration = Duration::from_millis(50);

#[derive(Debug, Clone)]
pub struct Plan {
    /// The APIs, such as `http://127.0.0.1:8080`: a request goes to one after the other, with each try.
    pub urls: Vec<String>,
    /// Which of their endpoints.
    pub side: Side,
    /// Whether it takes no bodies: then it is sent `GET`, in place of `POST`.
    pub bodiless: bool,
    /// What arrives, for how long, and for how long its clients have patience.
    pub load: Load,
    /// Of these, surges arrive too.
    pub faults: Vec<Fault>,
    /// Whether any answer will do, or only one that promises something.
    wants_a_promise: bool,
    /// What all keys of this run begin with. The same seed again must not meet its requests again.
    run: String,
}

impl Plan {
    /// The load of an experiment: each request is tried once, unless its client asks again until it is promised something.
    pub fn new(url: impl Into<String>, side: Side, load: Load) -> Self {
        Self {
            urls: vec![url.into()],
            side,
            bodiless: false,
            load,
            faults: Vec::new(),
            wants_a_promise: true,
            run: Uuid::now_v7().simple().to_string(),
        }
    }

    /// As clients behind a load balancer do: no answer within `try_for`, then the next API, with the same key.
    pub fn balanced(urls: Vec<String>, arriving: Arriving, try_for: Duration) -> Self {
        let load = Load {
            rate: arriving.rate,
            arrivals: arriving.arrivals,
            lasts: arriving.lasts,
            patience: PATIENCE,
            seed: arriving.seed,
            try_for: Some(try_for),
            asks_again: Some(PAUSE),
            leaving: None,
        };
        Self {
            urls,
            wants_a_promise: false,
            ..Self::new("", Side::Resilient, load)
        }
    }

    /// All requests, in order.
    pub(super) fn arrivals(&self) -> impl Iterator<Item = Arrival> + use<> {
        schedule::with_surges(&self.load, &self.faults)
    }

    /// How long a try waits for its answer, if its client's patience lasts.
    pub(super) fn try_for(&self) -> Duration {
        self.load.try_for.unwrap_or(self.load.patience)
    }

    /// Whether a client leaves it at this.
    pub(super) fn contents(&self, end: &Completion) -> bool {
        let answer = end.answer();
        answer.is_some_and(|answer| !self.wants_a_promise || answer.is_promise())
    }

    pub(super) fn endpoint(&self, api: usize) -> String {
        let base = self.urls.get(api).map(String::as_str).unwrap_or_default();
        format!("{}{}", base.trim_end_matches('/'), self.side.path())
    }

    pub(super) fn yet_to_be_tried(&self, arrival: Arrival) -> CallHistory {
        CallHistory {
            number: arrival.number,
            key: format!("{}-{}", self.run, arrival.number),
            intended: arrival.at,
            surge: arrival.surge,
            attempts: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Arriving {
    /// Requests per second, on average.
    pub rate: f64,
    pub arrivals: Arrivals,
    pub lasts: Duration,
    pub seed: u64,
}
