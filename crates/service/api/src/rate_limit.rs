//! What one client may have: a quota of calls that comes back with time (GCRA, by `governor`).
//!
//! Memory is bounded: there are so many clients with a quota of their own, and all others have one together. Who has not
//! called for a whole window has all of its quota again, and is forgotten.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

use crate::config::{ClientBy, RateLimitPolicy};

/// Between two looks for those who are idle.
const SWEEP: Duration = Duration::from_secs(1);

type Limiter = RateLimiter<NotKeyed, InMemoryState, TokioClock, StateInformationMiddleware>;

/// The client of a call.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Client {
    Named(Box<[u8]>),
    Address(IpAddr),
    Unknown,
}

/// The quotas of all clients.
#[derive(Debug)]
pub(crate) struct RateLimit {
    told_by: ClientBy,
    requests: NonZeroU32,
    window: Duration,
    quota: Quota,
    max_clients: usize,
    clock: TokioClock,
    clients: Mutex<Clients>,
    others: Limiter,
}

#[derive(Debug)]
struct Clients {
    known: HashMap<Client, (Limiter, Instant)>,
    swept: Instant,
}

/// What is left of a client's quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RemainingQuota {
    requests: NonZeroU32,
    window: Duration,
    remaining: u32,
    /// Until there is one more; `None`: there is.
    wait: Option<Duration>,
    /// Until all of it is there.
    whole_in: Duration,
}

/// So that tests can pause it.
#[derive(Debug, Clone, Copy)]
struct TokioClock(Instant);

impl Clock for TokioClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.elapsed().into()
    }
}

impl Client {
    /// Of IPv6 the network of 64 bits: a client that has one address of it has all.
    pub(crate) fn of_address(address: Option<IpAddr>) -> Self {
        match address {
            Some(IpAddr::V6(address)) => {
                let network = u128::from(address) & (u128::MAX << 64);
                Self::Address(Ipv6Addr::from(network).into())
            }
            Some(address) => Self::Address(address),
            None => Self::Unknown,
        }
    }
}

impl RateLimit {
    /// The limit that `policy` sets, if it does.
    pub(crate) fn new(policy: &RateLimitPolicy) -> Option<Self> {
        let requests = policy.requests;
        let quota = Quota::with_period(policy.window / requests.get())?.allow_burst(requests);
        let now = Instant::now();
        let clock = TokioClock(now);
        policy.enabled.then(|| Self {
            told_by: policy.client.clone(),
            requests,
            window: policy.window,
            quota,
            max_clients: policy.max_clients,
            clock,
            clients: Mutex::new(Clients {
                known: HashMap::new(),
                swept: now,
            }),
            others: limiter(quota, clock),
        })
    }

    /// By what clients are told apart.
    pub(crate) fn told_by(&self) -> &ClientBy {
        &self.told_by
    }

    /// Takes one call of `client`'s quota.
    pub(crate) fn take(&self, client: Client) -> RemainingQuota {
        let now = Instant::now();
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if clients.known.len() >= self.max_clients && now >= clients.swept + SWEEP {
            clients.forget_idle(self.window, now);
        }
        let is_full = clients.known.len() >= self.max_clients;
        if is_full && !clients.known.contains_key(&client) {
            drop(clients);
            return self.take_of(&self.others);
        }
        let fresh = || (limiter(self.quota, self.clock), now);
        let (limiter, used) = clients.known.entry(client).or_insert_with(fresh);
        *used = now;
        self.take_of(limiter)
    }

    fn take_of(&self, limiter: &Limiter) -> RemainingQuota {
        let each = self.window / self.requests.get();
        let (remaining, wait) = match limiter.check() {
            Ok(snapshot) => (snapshot.remaining_burst_capacity(), None),
            Err(refused) => (0, Some(refused.wait_time_from(self.clock.now()))),
        };
        let taken = self.requests.get().saturating_sub(remaining);
        RemainingQuota {
            requests: self.requests,
            window: self.window,
            remaining,
            wait,
            whole_in: each * taken,
        }
    }
}

impl Clients {
    fn forget_idle(&mut self, window: Duration, now: Instant) {
        self.swept = now;
        self.known.retain(|_, (_, used)| now < *used + window);
    }
}

impl RemainingQuota {
    /// Whether this call is one too many.
    pub(crate) fn is_used_up(&self) -> bool {
        self.wait.is_some()
    }

    /// Whole seconds until another call makes sense, or until all of the quota is there again.
    pub(crate) fn seconds(&self) -> u64 {
        let until = self.wait.unwrap_or(self.whole_in);
        (until.as_secs() + u64::from(until.subsec_nanos() > 0)).max(1)
    }

    /// `RateLimit-Policy`, as of draft-ietf-httpapi-ratelimit-headers-11.
    pub(crate) fn policy(&self) -> String {
        let (requests, seconds) = (self.requests, self.window.as_secs());
        format!("\"client\";q={requests};w={seconds}")
    }

    /// `RateLimit`, likewise.
    pub(crate) fn remaining(&self) -> String {
        let (remaining, seconds) = (self.remaining, self.seconds());
        format!("\"client\";r={remaining};t={seconds}")
    }
}

fn limiter(quota: Quota, clock: TokioClock) -> Limiter {
    RateLimiter::direct_with_clock(quota, clock).with_middleware()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(max_clients: usize) -> RateLimit {
        let policy = RateLimitPolicy {
            enabled: true,
            requests: NonZeroU32::new(2).unwrap(),
            window: Duration::from_secs(10),
            client: ClientBy::Address,
            max_clients,
        };
        RateLimit::new(&policy).unwrap()
    }

    fn client(number: u8) -> Client {
        Client::of_address(Some(IpAddr::from([10, 0, 0, number])))
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_has_its_share_and_gets_it_back_with_time() {
        let limit = limit(10);
        let take = || limit.take(client(1));
        assert_eq!(take().remaining(), "\"client\";r=1;t=5");
        assert_eq!(take().policy(), "\"client\";q=2;w=10");
        let refused = take();
        assert!(refused.is_used_up());
        assert_eq!((refused.remaining, refused.seconds()), (0, 5));
        assert!(!limit.take(client(2)).is_used_up());
        tokio::time::advance(Duration::from_secs(5)).await;
        assert!(!take().is_used_up());
        assert!(take().is_used_up());
    }

    #[tokio::test(start_paused = true)]
    async fn beyond_so_many_clients_new_ones_share_until_others_are_idle() {
        let limit = limit(2);
        for number in 1..=2 {
            limit.take(client(number));
        }
        assert!(!limit.take(client(3)).is_used_up());
        assert!(!limit.take(client(4)).is_used_up());
        assert!(limit.take(client(5)).is_used_up());
        assert!(!limit.take(client(1)).is_used_up());
        tokio::time::advance(Duration::from_secs(10)).await;
        assert!(!limit.take(client(5)).is_used_up());
        let clients = limit.clients.lock().unwrap();
        assert_eq!(clients.known.len(), 1);
    }

    #[test]
    fn whoever_has_one_address_of_ipv6_has_its_network() {
        let of = |text: &str| Client::of_address(Some(text.parse().unwrap()));
        assert_eq!(of("2001:db8::1"), of("2001:db8::2:3"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
    }
}
