//! Name resolution that is bounded and single-flight.
//!
//! The system's resolver blocks a thread, for ten seconds where the upstream server is silent. Callers that give up do
//! not free that thread, so hundreds of impatient callers would fill the runtime's blocking pool. Here all callers of a
//! name share one lookup, and each waits for it no longer than its limit: at most one thread per name is ever blocked.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt, Shared};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout};

/// How long an answer is used. Short: a replaced container has a new address behind the same name.
const FRESH_FOR: Duration = Duration::from_secs(1);

/// Why a name has no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// The resolver says so.
    #[error("the name does not resolve: {0}")]
    Failed(String),
    /// The resolver says nothing.
    #[error("the name did not resolve within {0:?}")]
    Timeout(Duration),
}

#[derive(Debug, Clone)]
struct Answer {
    addresses: Arc<[IpAddr]>,
    at: Instant,
}

type Lookup = Shared<BoxFuture<'static, Result<Answer, ResolveError>>>;

/// Resolves names to addresses. Clones share their lookups.
#[derive(Clone)]
pub(crate) struct Resolver {
    lookups: Arc<Mutex<HashMap<String, Lookup>>>,
    runtime: Handle,
    limit: Option<Duration>,
}

impl Resolver {
    /// Looks names up on `runtime`'s blocking threads; a caller waits for `limit` at most, or for as long as it takes.
    #[must_use]
    pub(crate) fn new(runtime: Handle, limit: Option<Duration>) -> Self {
        Self {
            lookups: Arc::default(),
            runtime,
            limit,
        }
    }

    /// One that knows `host` to be at `addresses`.
    #[cfg(test)]
    pub(crate) fn knowing(host: &str, addresses: &[IpAddr]) -> Self {
        let resolver = Self::new(Handle::current(), Some(FRESH_FOR));
        resolver.learn(host, addresses);
        resolver
    }

    /// From now on `host` is at `addresses`.
    #[cfg(test)]
    pub(crate) fn learn(&self, host: &str, addresses: &[IpAddr]) {
        let answer = Answer {
            addresses: addresses.into(),
            at: Instant::now() + FRESH_FOR * 3600,
        };
        let known: Lookup = std::future::ready(Ok(answer)).boxed().shared();
        self.lookups.lock().unwrap().insert(host.to_owned(), known);
    }

    /// From now on nobody says where `host` is.
    #[cfg(test)]
    pub(crate) fn forget(&self, host: &str) {
        let silence = std::future::pending().boxed().shared();
        self.lookups
            .lock()
            .unwrap()
            .insert(host.to_owned(), silence);
    }

    /// The addresses of `host`, which may be an address itself.
    ///
    /// # Errors
    /// When the name does not resolve, or not in time.
    pub(crate) async fn resolve(&self, host: &str) -> Result<Arc<[IpAddr]>, ResolveError> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(Arc::new([address]));
        }
        let lookup = self.join(host);
        let answer = match self.limit {
            Some(limit) => timeout(limit, lookup)
                .await
                .map_err(|_| ResolveError::Timeout(limit))?,
            None => lookup.await,
        };
        answer.map(|answer| answer.addresses)
    }

    /// The lookup under way, or the last one while it is fresh, or a new one.
    fn join(&self, host: &str) -> Lookup {
        let mut lookups = self.lookups.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lookup) = lookups.get(host) {
            // Looked at afresh: it may have ended when nobody waited any more.
            match lookup.clone().now_or_never() {
                None => return lookup.clone(),
                Some(Ok(answer)) if answer.at.elapsed() < FRESH_FOR => return lookup.clone(),
                Some(_) => {}
            }
        }
        let lookup = self.start(host.to_owned());
        lookups.insert(host.to_owned(), lookup.clone());
        lookup
    }

    /// Runs apart from its callers, so that none of them can cut it short for the others.
    fn start(&self, host: String) -> Lookup {
        let task = self.runtime.spawn(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            // As of now, and not of when somebody asks for it.
            Ok::<_, std::io::Error>(Answer {
                addresses: found.map(|socket| socket.ip()).collect(),
                at: Instant::now(),
            })
        });
        async move {
            let failed = |error: &dyn std::fmt::Display| ResolveError::Failed(error.to_string());
            task.await
                .map_err(|error| failed(&error))?
                .map_err(|error| failed(&error))
        }
        .boxed()
        .shared()
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let addresses = Self::resolve(&resolver, name.as_str()).await?;
            let sockets: Vec<_> = addresses.iter().map(|ip| SocketAddr::new(*ip, 0)).collect();
            Ok(Box::new(sockets.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_needs_no_lookup_and_localhost_resolves() {
        let resolver = Resolver::new(Handle::current(), Some(Duration::from_secs(5)));
        assert_eq!(
            resolver.resolve("10.1.2.3").await.unwrap()[0].to_string(),
            "10.1.2.3"
        );
        assert!(
            resolver
                .resolve("localhost")
                .await
                .unwrap()
                .iter()
                .all(IpAddr::is_loopback)
        );
    }

    #[tokio::test]
    async fn a_name_without_an_address_fails_and_is_asked_again() {
        let resolver = Resolver::new(Handle::current(), Some(Duration::from_secs(15)));
        for _ in 0..2 {
            assert!(resolver.resolve("no-such-host.invalid").await.is_err());
        }
    }

    #[tokio::test]
    async fn callers_of_a_name_share_one_lookup() {
        let resolver = Resolver::new(Handle::current(), None);
        let first = resolver.join("localhost");
        let second = resolver.join("localhost");
        assert!(first.ptr_eq(&second));
        first.await.unwrap();
        assert!(
            resolver.join("localhost").ptr_eq(&second),
            "a fresh answer is used again"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_came_when_nobody_waited_any_more_is_not_taken_for_a_fresh_one() {
        let resolver = Resolver::new(Handle::current(), None);
        let unattended = resolver.join("localhost");
        // The lookup is on a thread; time that is paused does not pass while it runs.
        while resolver.runtime.metrics().num_alive_tasks() > 0 {
            tokio::task::yield_now().await;
        }
        tokio::time::advance(FRESH_FOR * 3).await;
        assert!(!unattended.ptr_eq(&resolver.join("localhost")));
    }

    #[tokio::test]
    async fn a_silent_resolver_is_waited_for_no_longer_than_the_limit() {
        let resolver = Resolver::new(Handle::current(), Some(Duration::from_millis(20)));
        let never: Lookup = std::future::pending().boxed().shared();
        resolver
            .lookups
            .lock()
            .unwrap()
            .insert("silent".to_owned(), never);
        let answer = resolver.resolve("silent").await;
        assert_eq!(
            answer,
            Err(ResolveError::Timeout(Duration::from_millis(20)))
        );
    }
}
