//! Which endpoints there are: one for each address that is listed, or that a listed name has.
//!
//! Names are looked at again once a second while calls come, so that a worker that is added, moved or gone is followed
//! under steady traffic. A name that does not resolve keeps the endpoints it had.

#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use holdfast_policy::{ConfigError, PolicyConfig};
use reqwest::Url;
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::endpoint::Endpoint;
use crate::config::WorkerAddress;
use crate::current::Current;
use crate::resolver::Resolver;
use crate::worker_client::connections::Recipe;
use crate::worker_client::{MAX_AGE, WorkerClient, WorkerError};

/// How old the answers are by which endpoints are told.
const RESOLVE_INTERVAL: Duration = Duration::from_secs(1);

/// The endpoints, and what they are made of.
pub(super) struct Members {
    workers: Vec<WorkerAddress>,
    policy: Current<PolicyConfig>,
    connect_timeout: Duration,
    resolver: Resolver,
    runtime: Handle,
    current: RwLock<Latest>,
    looking: AtomicBool,
    next_slot: AtomicU32,
}

struct Latest {
    endpoints: Arc<[Arc<Endpoint>]>,
    looked: Instant,
}

impl Members {
    /// One endpoint for each of `workers`, until their names have been looked at.
    ///
    /// # Errors
    /// When an HTTP client cannot be built.
    pub(super) fn new(
        workers: Vec<WorkerAddress>,
        policy: PolicyConfig,
        connect_timeout: Duration,
        resolver: Resolver,
        runtime: Handle,
    ) -> Result<Self, WorkerError> {
        let members = Self {
            workers,
            policy: Current::new(policy),
            connect_timeout,
            resolver,
            runtime,
            current: RwLock::new(Latest {
                endpoints: Arc::new([]),
                looked: Instant::now(),
            }),
            looking: AtomicBool::new(false),
            next_slot: AtomicU32::new(0),
        };
        let first = members.workers.iter().map(|worker| (worker, None));
        let first = first.map(|(worker, pin)| members.endpoint(worker, pin));
        let endpoints = first.collect::<Result<_, _>>()?;
        members.set(endpoints);
        Ok(members)
    }

    /// Those there are. Has the names looked at, in the background, if that is due.
    pub(super) fn current(self: &Arc<Self>) -> Arc<[Arc<Endpoint>]> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        let due = current.looked.elapsed() >= RESOLVE_INTERVAL;
        let endpoints = Arc::clone(&current.endpoints);
        drop(current);
        if due && self.may_change() && !self.looking.swap(true, Ordering::AcqRel) {
            let members = Arc::clone(self);
            self.runtime.spawn(async move {
                members.look().await;
                members.looking.store(false, Ordering::Release);
            });
        }
        endpoints
    }

    /// Those there are, and those to come, go by `policy`.
    ///
    /// # Errors
    /// When it is incoherent.
    pub(super) fn reconfigure(&self, policy: &PolicyConfig) -> Result<(), ConfigError> {
        // First: an endpoint that is made meanwhile has the new one.
        self.policy.set(policy.clone());
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current
            .endpoints
            .iter()
            .try_for_each(|it| it.reconfigure(policy))
    }

    /// Of the worker as a whole.
    pub(super) fn attempt_timeout(&self) -> Option<Duration> {
        self.policy.get().attempt_timeout
    }

    /// Looks at all names, and takes over what they say.
    pub(super) async fn look(&self) {
        let before = {
            let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(&current.endpoints)
        };
        let mut endpoints: Vec<Arc<Endpoint>> = Vec::new();
        for worker in &self.workers {
            match self.pins(&worker.url).await {
                Some(pins) => endpoints.extend(self.known_or_new(worker, &pins, &before)),
                None => endpoints.extend(before.iter().filter(|it| it.is_of(&worker.url)).cloned()),
            }
        }
        let addresses = |set: &[Arc<Endpoint>]| -> Vec<String> {
            set.iter().map(|it| it.address.clone()).collect()
        };
        if addresses(&endpoints) != addresses(&before) {
            tracing::info!(endpoints = ?addresses(&endpoints), "the worker's addresses have changed");
        }
        let endpoints: Arc<[Arc<Endpoint>]> = endpoints.into();
        self.set(Arc::clone(&endpoints));
        // What was made of an older policy, and not there yet when the newer one was put in force.
        let policy = self.policy.get();
        for endpoint in endpoints.iter() {
            let was_there = before.iter().any(|it| Arc::ptr_eq(it, endpoint));
            if !was_there && let Err(error) = endpoint.reconfigure(&policy) {
                tracing::error!(%error, endpoint = endpoint.address, "it keeps the policy it was made of");
            }
        }
    }

    fn known_or_new(
        &self,
        worker: &WorkerAddress,
        pins: &[Option<SocketAddr>],
        before: &[Arc<Endpoint>],
    ) -> Vec<Arc<Endpoint>> {
        let one = |pin: &Option<SocketAddr>| {
            let address = shown(&worker.url, *pin);
            let known = before
                .iter()
                .find(|it| it.address == address && it.is_of(&worker.url));
            known.cloned().map_or_else(
                || {
                    self.endpoint(worker, *pin).inspect_err(|error| {
                        tracing::error!(address, %error, "the endpoint cannot be used");
                    })
                },
                Ok,
            )
        };
        pins.iter().filter_map(|pin| one(pin).ok()).collect()
    }

    /// The addresses that connections to `url` are pinned to: none where it has one, for then the client looks it up
    /// itself. `None`: it does not resolve.
    async fn pins(&self, url: &Url) -> Option<Vec<Option<SocketAddr>>> {
        let Some(host) = named(url) else {
            return Some(vec![None]);
        };
        let addresses = self.resolver.resolve(host).await.ok()?;
        let port = url.port_or_known_default()?;
        Some(match one_family(&addresses).as_slice() {
            [] => return None,
            [_] => vec![None],
            several => several
                .iter()
                .map(|address| Some(SocketAddr::new(*address, port)))
                .collect(),
        })
    }

    fn endpoint(
        &self,
        worker: &WorkerAddress,
        pin: Option<SocketAddr>,
    ) -> Result<Arc<Endpoint>, WorkerError> {
        let recipe = Recipe {
            resolver: self.resolver.clone(),
            tls: worker.tls.clone(),
            connect_timeout: Some(self.connect_timeout),
            pin: pin.and_then(|pin| Some((named(&worker.url)?.to_owned(), pin))),
        };
        let client = WorkerClient::build(worker, recipe, Some(MAX_AGE), self.runtime.clone())?;
        let slot = self.next_slot.fetch_add(1, Ordering::Relaxed);
        let address = shown(&worker.url, pin);
        let endpoint = Endpoint::new(
            address,
            worker.url.clone(),
            slot,
            client,
            &self.policy.get(),
        );
        endpoint
            .map(Arc::new)
            .map_err(|error| WorkerError::BadResponse(error.into()))
    }

    fn set(&self, endpoints: Arc<[Arc<Endpoint>]>) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let looked = Instant::now();
        let before = std::mem::replace(&mut *current, Latest { endpoints, looked });
        drop(current);
        drop(before);
    }

    fn may_change(&self) -> bool {
        self.workers
            .iter()
            .any(|worker| named(&worker.url).is_some())
    }
}

/// The host of `url`, if it is a name and no address.
fn named(url: &Url) -> Option<&str> {
    url.domain()
}

fn shown(url: &Url, pin: Option<SocketAddr>) -> String {
    match pin {
        Some(pin) => format!("{}://{pin}", url.scheme()),
        None => url.as_str().trim_end_matches('/').to_owned(),
    }
}

/// Those of IPv4, or all where there are none: addresses of another family are other ways to the same hosts.
fn one_family(addresses: &[IpAddr]) -> Vec<IpAddr> {
    let of_v4 = addresses.iter().copied().filter(IpAddr::is_ipv4);
    let mut chosen: Vec<_> = of_v4.collect();
    if chosen.is_empty() {
        chosen = addresses.to_vec();
    }
    chosen.sort_unstable();
    chosen.dedup();
    chosen
}
