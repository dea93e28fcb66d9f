//! Builds a policy: checks its configuration, then wires its parts.

use std::sync::Arc;

use crate::attempt::AttemptLayer;
use crate::breaker::{BreakerLayer, Circuit, CircuitSettings};
use crate::bulkhead::BulkheadLayer;
use crate::capacity::Slots;
use crate::class::ErrorsAreFailures;
use crate::config::{BudgetConfig, ConfigError, PolicyConfig, RetryConfig};
use crate::deadline::DeadlineLayer;
use crate::event::Observer;
use crate::hedge::{HedgeLayer, HedgeSettings};
use crate::policy::{Parts, Policy};
use crate::reporter::Reporter;
use crate::retry::{Budget, RetryLayer, RetrySettings};
use crate::stack::Layers;
use crate::timeout::TimeoutLayer;

/// What the ramp grows to where no bulkhead says how many attempts may run.
const UNLIMITED_RAMP: u32 = 256;

/// Collects what a [`Policy`] is made of.
#[must_use]
pub struct Builder<C = ErrorsAreFailures> {
    name: Arc<str>,
    config: PolicyConfig,
    classify: C,
    observers: Vec<Box<dyn Observer>>,
    seed: u64,
    budget: Option<Budget>,
}

impl Policy {
    /// Starts a policy for the dependency called `name`, which errors and events carry.
    pub fn builder(name: impl Into<Arc<str>>, config: PolicyConfig) -> Builder {
        Builder::new(name.into(), config)
    }
}

impl Builder {
    pub(crate) fn new(name: Arc<str>, config: PolicyConfig) -> Self {
        let seed = fastrand::u64(..);
        Self {
            name,
            config,
            classify: ErrorsAreFailures,
            observers: Vec::new(),
            seed,
            budget: None,
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
            budget,
        } = self;
        Builder {
            name,
            config,
            classify,
            observers,
            seed,
            budget,
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

    /// Retries draw from `budget`, which other policies may share, instead of one of their own.
    pub fn budget(self, budget: Budget) -> Self {
        let budget = Some(budget);
        Self { budget, ..self }
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
            budget,
        } = self;
        config.validate(&name)?;
        let reporter = Reporter::new(name, observers);
        let parts = parts(config, seed, budget, reporter);
        Ok(policy(parts, classify))
    }
}

/// The policy that `parts` make.
pub(crate) fn policy<C: Clone>(mut parts: Parts, classify: C) -> Policy<C> {
    let layers = layers(&parts, classify, parts.reporter.clone());
    parts.hedge = layers.hedge.delay();
    Policy::new(parts, layers)
}

/// What the breaker must know of the rest of `config`.
pub(crate) fn circuit_settings(config: &PolicyConfig, seed: u64) -> CircuitSettings {
    let bulkhead = config.bulkhead.as_ref();
    CircuitSettings {
        lease: config.lease(),
        concurrency: bulkhead.map_or(UNLIMITED_RAMP, |it| it.max_concurrent),
        seed,
    }
}

/// What the retries of `config` may add.
pub(crate) fn budget_config(config: &PolicyConfig) -> BudgetConfig {
    let retry = config.retry.as_ref();
    retry.map(|retry| retry.budget.clone()).unwrap_or_default()
}

fn parts(config: PolicyConfig, seed: u64, shared: Option<Budget>, reporter: Reporter) -> Parts {
    let slots = config.bulkhead.as_ref();
    let slots = slots.map(|bulkhead| Slots::new(bulkhead, reporter.clone()));
    let settings = circuit_settings(&config, seed);
    let breaker = config.breaker.as_ref();
    Parts {
        seed,
        circuit: breaker.map(|breaker| Circuit::new(breaker, settings, reporter.clone())),
        slots,
        shares_budget: shared.is_some(),
        budget: shared.unwrap_or_else(|| Budget::new(&budget_config(&config))),
        hedge: None,
        reporter,
        config,
    }
}

fn layers<C: Clone>(parts: &Parts, classify: C, reporter: Reporter) -> Layers<C> {
    let Parts {
        config,
        seed,
        circuit,
        slots,
        budget,
        ..
    } = parts;
    let attempt_timeout = config.needed();
    let settings = RetrySettings {
        idempotent: config.idempotent,
        attempt_timeout,
        // Its own stream: both draws in step would couple the backoff to the open time.
        seed: seed.wrapping_add(1),
        circuit: circuit.clone(),
    };
    let once = RetryConfig {
        max_attempts: 1,
        ..RetryConfig::default()
    };
    let retry = config.retry.as_ref().unwrap_or(&once);
    let hedge = hedge(parts, classify.clone(), reporter.clone());
    let budget = budget.clone();
    Layers {
        deadline: DeadlineLayer::new(config.deadline, attempt_timeout, reporter.clone()),
        retry: RetryLayer::new(retry, settings, budget, classify.clone(), reporter),
        hedge,
        breaker: BreakerLayer::optional(circuit.clone(), classify.clone()),
        bulkhead: BulkheadLayer::optional(slots.clone(), attempt_timeout, classify),
        timeout: TimeoutLayer::optional(config.attempt_timeout),
        attempt: AttemptLayer,
    }
}

fn hedge<C>(parts: &Parts, classify: C, reporter: Reporter) -> HedgeLayer<C> {
    let Parts {
        config,
        circuit,
        budget,
        ..
    } = parts;
    let settings = HedgeSettings {
        idempotent: config.idempotent,
        attempt_timeout: config.needed(),
        circuit: circuit.clone(),
    };
    match &config.hedge {
        Some(hedge) => HedgeLayer::new(hedge, settings, budget.clone(), classify, reporter),
        None => HedgeLayer::left_out(classify),
    }
}
