//! Builds a policy: checks its configuration, then wires its parts.

use crate::attempt::AttemptLayer;
use crate::breaker::{BreakerLayer, Circuit, CircuitSettings};
use crate::bulkhead::{BulkheadLayer, Slots};
use crate::class::ErrorsAreFailures;
use crate::config::{ConfigError, PolicyConfig};
use crate::deadline::DeadlineLayer;
use crate::event::Observer;
use crate::policy::{Parts, Policy};
use crate::reporter::Reporter;
use crate::retry::{Budget, RetryLayer, RetrySettings};
use crate::stack::Layers;
use crate::timeout::TimeoutLayer;

/// Collects what a [`Policy`] is made of.
#[must_use]
pub struct Builder<C = ErrorsAreFailures> {
    name: &'static str,
    config: PolicyConfig,
    classify: C,
    observers: Vec<Box<dyn Observer>>,
    seed: u64,
}

impl Builder {
    pub(crate) fn new(name: &'static str, config: PolicyConfig) -> Self {
        let seed = fastrand::u64(..);
        Self {
            name,
            config,
            classify: ErrorsAreFailures,
            observers: Vec::new(),
            seed,
        }
    }
}

impl<C> Builder<C> {
    /// Sets who tells what an outcome means; without it every error is a failure.
    pub fn classify<D>(self, classify: D) -> Builder<D> {
        let Self {
            name,
            config,
            classify: _,
            observers,
            seed,
        } = self;
        Builder {
            name,
            config,
            classify,
            observers,
            seed,
        }
    }

    /// Adds an observer.
    pub fn observe(mut self, observer: impl Observer) -> Self {
        self.observers.push(Box::new(observer));
        self
    }

    /// Fixes the random choices (jitter); without it they differ from run to run.
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Builds the policy.
    ///
    /// # Errors
    /// If the configuration is incoherent; the error's key begins with the policy's name.
    pub fn build(self) -> Result<Policy<C>, ConfigError>
    where
        C: Clone,
    {
        let Self {
            name,
            config,
            classify,
            observers,
            seed,
        } = self;
        config.validate(name)?;
        let reporter = Reporter::new(name, observers);
        let parts = parts(name, config, seed, &reporter);
        let layers = layers(&parts, classify, reporter);
        Ok(Policy::new(parts, layers))
    }
}

fn parts(name: &'static str, config: PolicyConfig, seed: u64, reporter: &Reporter) -> Parts {
    // Twice what an attempt can last: only a probe that nobody polls holds its slot that long.
    let lease = (config.attempt_timeout + config.bulkhead.max_wait) * 2;
    let concurrency = config.bulkhead.max_concurrent;
    let settings = CircuitSettings {
        lease,
        concurrency,
        seed,
    };
    Parts {
        name,
        seed,
        circuit: Circuit::new(&config.breaker, settings, reporter.clone()),
        slots: Slots::new(&config.bulkhead, reporter.clone()),
        budget: Budget::new(&config.retry.budget),
        config,
    }
}

fn layers<C: Clone>(parts: &Parts, classify: C, reporter: Reporter) -> Layers<C> {
    let Parts {
        name,
        config,
        seed,
        circuit,
        slots,
        budget,
    } = parts;
    let attempt_timeout = config.attempt_timeout;
    let retry = RetrySettings {
        idempotent: config.idempotent,
        attempt_timeout,
        // Its own stream: both draws in step would couple the backoff to the open time.
        seed: seed.wrapping_add(1),
        circuit: Some(circuit.clone()),
    };
    let budget = budget.clone();
    Layers {
        deadline: DeadlineLayer::new(config.deadline, attempt_timeout, reporter.clone()),
        retry: RetryLayer::new(&config.retry, retry, budget, classify.clone(), reporter),
        breaker: BreakerLayer::new(circuit.clone(), classify),
        bulkhead: BulkheadLayer::new(slots.clone(), attempt_timeout),
        timeout: TimeoutLayer::new(name, attempt_timeout),
        attempt: AttemptLayer::new(name),
    }
}
