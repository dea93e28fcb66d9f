//! Several workers as one: each call goes to the endpoint that will answer it soonest, each further attempt to another.
//!
//! The policy of the worker as a whole stands outside and knows nothing of endpoints: deadline, retries with their one
//! budget, breaker, limit and attempt timeout hold for all of them together. Inside, each endpoint has a breaker of its
//! own (`endpoint`), a load (`load`), and is chosen by both (`choice`). What an endpoint fails by while others are well is
//! held against it, and not against the worker. With one endpoint none of this takes place.

mod choice;
mod endpoint;
mod load;
mod members;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use holdfast_policy::{BreakerState, ConfigError, PolicyConfig, Retry};
use holdfast_wire::JsonText;
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};

use self::choice::{Service, choose};
use self::endpoint::{Endpoint, Tried};
use self::members::Members;
use super::{WorkCall, WorkClient, WorkerError};
use crate::config::WorkerAddress;
use crate::dependency::DependencyError as _;
use crate::resolver::Resolver;

/// All endpoints of the worker. Clones share them.
#[derive(Clone)]
pub(crate) struct Endpoints(Arc<Members>);

/// One of them, as `/status` tells it.
pub(crate) struct EndpointState {
    pub(crate) address: String,
    /// `None` for an only endpoint, whose breaker is that of the worker.
    pub(crate) breaker: Option<BreakerState>,
    pub(crate) ejected: bool,
    pub(crate) latency: Option<f64>,
}

impl Endpoints {
    /// The endpoints of `workers`, each with a breaker like the one of `policy`; connecting takes no longer than
    /// `connect_timeout`.
    ///
    /// # Errors
    /// When an HTTP client cannot be built.
    pub(crate) fn new(
        workers: Vec<WorkerAddress>,
        policy: PolicyConfig,
        connect_timeout: Duration,
        resolver: Resolver,
        runtime: Handle,
    ) -> Result<Self, WorkerError> {
        let members = Members::new(workers, policy, connect_timeout, resolver, runtime)?;
        Ok(Self(Arc::new(members)))
    }

    /// Each goes by `policy`, the worker's, for calls to come.
    ///
    /// # Errors
    /// When it is incoherent.
    pub(crate) fn reconfigure(&self, policy: &PolicyConfig) -> Result<(), ConfigError> {
        self.0.reconfigure(policy)
    }

    /// How each is.
    pub(crate) fn states(&self) -> Vec<EndpointState> {
        let endpoints = self.0.current();
        let (alone, now) = (endpoints.len() == 1, Instant::now());
        let state = |endpoint: &Arc<Endpoint>| {
            let (service, breaker) = endpoint.state(now);
            EndpointState {
                address: endpoint.address.clone(),
                ejected: !alone && matches!(service, Service::Due | Service::Ejected(_)),
                breaker: (!alone).then_some(breaker),
                latency: endpoint.latency(),
            }
        };
        endpoints.iter().map(state).collect()
    }
}

impl WorkClient for Endpoints {
    type Error = WorkerError;

    async fn work(&self, call: WorkCall<'_>) -> Result<JsonText, WorkerError> {
        let endpoints = self.0.current();
        if let [only] = &*endpoints {
            return only.call_past(call).await;
        }
        let began = Instant::now();
        let limit = self.0.attempt_timeout();
        let cut_at = limit.map(|limit| began + limit * 39 / 40);
        // Whose breaker refuses is not asked again by this attempt.
        let mut refused = 0;
        // What is left of the attempt, once part of it went where nobody was reached.
        let mut left = None;
        loop {
            let (endpoint, in_spite) = chosen(&endpoints, call.tried() | refused)?;
            let again = call.tried() & endpoint.bit() != 0;
            let past = in_spite || refused & endpoint.bit() != 0;
            let Tried::Called(result) = until(left, called(endpoint, call, past)).await else {
                refused |= endpoint.bit();
                continue;
            };
            match result {
                // Nobody began the work: the next endpoint does it for the first time.
                Err(error)
                    if !again && never_arrived(&error) && another_is_well(endpoint, &endpoints) =>
                {
                    call.goes_on_after(began.elapsed());
                    left = cut_at;
                }
                Err(error) if another_is_well(endpoint, &endpoints) => {
                    return Err(WorkerError::OfOneEndpoint(Box::new(error)));
                }
                result => return result,
            }
        }
    }
}

/// Past its breaker: where more than half would be out of service, and where it is asked although it refused.
async fn called(endpoint: &Endpoint, call: WorkCall<'_>, past: bool) -> Tried {
    if past {
        call.has_tried(endpoint.bit());
        Tried::Called(endpoint.call_past(call).await)
    } else {
        endpoint.call(call).await
    }
}

/// Cut at `instant`, a little before the worker's attempt timeout: the worker is not held to a time that it did not have.
async fn until(instant: Option<Instant>, called: impl Future<Output = Tried>) -> Tried {
    match instant {
        Some(instant) => timeout_at(instant, called)
            .await
            .unwrap_or(Tried::Called(Err(WorkerError::Timeout))),
        None => called.await,
    }
}

fn chosen(endpoints: &[Arc<Endpoint>], tried: u64) -> Result<(&Endpoint, bool), WorkerError> {
    let now = Instant::now();
    let seen = endpoints
        .iter()
        .map(|endpoint| endpoint.candidate(tried, now));
    let seen: Vec<_> = seen.collect();
    let choice = choose(&seen, |below| fastrand::usize(..below)).ok_or(WorkerError::NoEndpoint)?;
    let endpoint = endpoints.get(choice.index).ok_or(WorkerError::NoEndpoint)?;
    Ok((endpoint, choice.in_spite))
}

fn never_arrived(error: &WorkerError) -> bool {
    error.class().retry == Retry::Always
}

/// The failure of one endpoint is not the worker's as long as another is well.
fn another_is_well(endpoint: &Endpoint, all: &[Arc<Endpoint>]) -> bool {
    let now = Instant::now();
    all.iter()
        .any(|it| it.slot != endpoint.slot && it.service(now) == Service::In)
}

/// The endpoints that the attempts of one call have tried, a bit for each, and where the last of them ended.
#[derive(Debug, Default)]
pub(crate) struct TriedEndpoints {
    bits: AtomicU64,
    last: AtomicU32,
}

impl TriedEndpoints {
    /// As if the endpoint `slot` had been tried.
    pub(crate) fn avoiding(slot: Option<u32>) -> Self {
        Self {
            bits: AtomicU64::new(slot.map_or(0, bit)),
            last: AtomicU32::default(),
        }
    }

    pub(super) fn get(&self) -> u64 {
        self.bits.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, bit: u64) {
        self.bits.fetch_or(bit, Ordering::Relaxed);
    }

    /// The slot of the endpoint where an attempt ended last.
    pub(crate) fn last(&self) -> u32 {
        self.last.load(Ordering::Relaxed)
    }

    pub(super) fn ended_at(&self, slot: u32) {
        self.last.store(slot, Ordering::Relaxed);
    }
}

fn bit(slot: u32) -> u64 {
    1 << (slot % u64::BITS)
}
