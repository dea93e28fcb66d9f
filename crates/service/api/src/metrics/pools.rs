//! The sessions with Postgres, pool by pool.

use metrics::{Gauge, describe_gauge, gauge};

use crate::overview::POOLS;
use crate::store::Store;

/// The gauges of every pool.
pub(super) struct Pools([PoolGauges; POOLS.len()]);

struct PoolGauges {
    in_use: Gauge,
    idle: Gauge,
    limit: Gauge,
    waiting: Gauge,
}

impl Pools {
    /// Every gauge.
    pub(super) fn new() -> Self {
        describe_gauge!(
            "holdfast_pool_sessions",
            "Sessions with Postgres, in use or idle"
        );
        describe_gauge!("holdfast_pool_limit", "Sessions the pool may have");
        describe_gauge!("holdfast_pool_waiting", "Calls that wait for a session");
        Self(POOLS.map(PoolGauges::new))
    }

    /// Sets them to what the pools say now; `stores` are in the order of [`POOLS`].
    pub(super) fn observe(&self, stores: &[Store; POOLS.len()]) {
        for (gauges, store) in self.0.iter().zip(stores) {
            let usage = store.usage();
            gauges.in_use.set(f64::from(usage.in_use));
            gauges.idle.set(f64::from(usage.idle));
            gauges.limit.set(f64::from(usage.limit));
            gauges.waiting.set(f64::from(usage.waiting));
        }
    }
}

impl PoolGauges {
    fn new(pool: &'static str) -> Self {
        let sessions = |state: &'static str| {
            let labels = [("pool", pool), ("state", state)];
            gauge!("holdfast_pool_sessions", &labels)
        };
        Self {
            in_use: sessions("in_use"),
            idle: sessions("idle"),
            limit: gauge!("holdfast_pool_limit", "pool" => pool),
            waiting: gauge!("holdfast_pool_waiting", "pool" => pool),
        }
    }
}
