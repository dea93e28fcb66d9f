//! The connections to the worker, renewed in time.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Client, redirect, retry};
use rustls::ClientConfig;
use tokio::time::Instant;

use super::WorkerError;
use crate::resolver::Resolver;

/// The worker closes a connection that is idle for five seconds; a call sent into that is lost.
const IDLE_LIMIT: Duration = Duration::from_secs(4);

/// What a client is made of.
pub(super) struct Recipe {
    pub(super) resolver: Resolver,
    pub(super) tls: Option<ClientConfig>,
    /// `None`: it waits for as long as it takes.
    pub(super) connect_timeout: Option<Duration>,
    /// A name, and the one of its addresses that connections are made to.
    pub(super) pin: Option<(String, SocketAddr)>,
}

impl Recipe {
    fn client(&self) -> Result<Client, WorkerError> {
        // Nothing may happen behind the policy's back: no proxy from the environment, no redirect, no hidden retry.
        let mut http = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .pool_idle_timeout(IDLE_LIMIT)
            .dns_resolver(Arc::new(self.resolver.clone()));
        if let Some(limit) = self.connect_timeout {
            http = http.connect_timeout(limit);
        }
        if let Some((host, address)) = &self.pin {
            http = http.resolve(host, *address);
        }
        if let Some(tls) = &self.tls {
            http = http.use_preconfigured_tls(tls.clone());
        }
        Ok(http.build()?)
    }
}

/// A client, made anew when it is too old; calls that it has under way it ends.
pub(super) struct Connections {
    recipe: Recipe,
    max_age: Option<Duration>,
    current: Mutex<(Client, Instant)>,
}

impl Connections {
    /// # Errors
    /// When no client can be built.
    pub(super) fn new(recipe: Recipe, max_age: Option<Duration>) -> Result<Self, WorkerError> {
        let current = Mutex::new((recipe.client()?, Instant::now()));
        Ok(Self {
            recipe,
            max_age,
            current,
        })
    }

    /// The one to call with now.
    pub(super) fn client(&self) -> Result<Client, WorkerError> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let age = now.saturating_duration_since(current.1);
        if self.max_age.is_some_and(|max_age| age >= max_age) {
            *current = (self.recipe.client()?, now);
        }
        Ok(current.0.clone())
    }
}
