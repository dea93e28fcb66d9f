//! Builds a policy: checks its configuration, then wires its parts.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::breaker::{Circuit, CircuitSettings};
use crate::capacity::Slots;
use crate::class::ErrorsAreFailures;
use crate::config::{BudgetConfig, ConfigError, PolicyConfig, RetryConfig};
use crate::event::Observer;
use crate::hedge::Delay;
use crate::parts::Parts;
use crate::policy::Policy;
use crate::reporter::Reporter;
use crate::retry;
use crate::retry::{Budget, Jitter};

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

/// What policies of one configuration are made by, once that has been checked.
#[derive(Clone)]
pub(crate) struct Plan<C> {
    reporter: Reporter,
    config: PolicyConfig,
    classify: C,
    seed: u64,
    // `None`: each has its own.
    budget: Option<Budget>,
    // Whether others than those of this plan draw from it as well.
    shares_budget: bool,
}

/// What a policy shares with the one that takes its place.
pub(crate) struct Kept {
    pub(crate) reporter: Reporter,
    pub(crate) circuit: Option<Circuit>,
    pub(crate) slots: Option<Slots>,
    pub(crate) budget: Budget,
    pub(crate) shares_budget: bool,
    pub(crate) jitter: Jitter,
    pub(crate) hedge: Option<Delay>,
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
    pub fn build(self) -> Result<Policy<C>, ConfigError> {
        self.plan().map(Plan::policy)
    }

    /// For policies that share one budget.
    pub(crate) fn plan_of_several(self) -> Result<Plan<C>, ConfigError> {
        let mut plan = self.plan()?;
        let own = || Budget::new(&budget_config(&plan.config));
        plan.budget = Some(plan.budget.unwrap_or_else(own));
        Ok(plan)
    }

    fn plan(self) -> Result<Plan<C>, ConfigError> {
        self.config.validate(&self.name)?;
        Ok(Plan {
            reporter: Reporter::new(self.name, self.observers),
            config: self.config,
            classify: self.classify,
            seed: self.seed,
            shares_budget: self.budget.is_some(),
            budget: self.budget,
        })
    }
}

impl<C> fmt::Debug for Builder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut builder = f.debug_struct("Builder");
        let builder = builder.field("name", &self.name);
        builder
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl<C> Plan<C> {
    pub(crate) fn policy(self) -> Policy<C> {
        let Self {
            reporter,
            config,
            classify,
            seed,
            budget,
            shares_budget: _,
        } = self;
        let settings = circuit_settings(&config, seed);
        let breaker = config.breaker.as_ref();
        let bulkhead = config.bulkhead.as_ref();
        let kept = Kept {
            circuit: breaker.map(|breaker| Circuit::new(breaker, settings, reporter.clone())),
            slots: bulkhead.map(|bulkhead| Slots::new(bulkhead, reporter.clone())),
            shares_budget: budget.is_some(),
            budget: budget.unwrap_or_else(|| Budget::new(&budget_config(&config))),
            // Its own stream: both draws in step would couple the backoff to the open time.
            jitter: Jitter::new(seed.wrapping_add(1)),
            hedge: config.hedge.as_ref().map(Delay::new),
            reporter,
        };
        Policy::new(parts(config, classify, seed, kept))
    }

    /// The longest that a breaker stays open.
    pub(crate) fn longest_open_time(&self) -> Duration {
        let breaker = self.config.breaker.as_ref();
        breaker.map_or(Duration::ZERO, |breaker| breaker.max_open_for)
    }
}

impl<C: Clone> Plan<C> {
    /// The same for one `key` of many.
    pub(crate) fn of(&self, key: &dyn fmt::Display) -> Self {
        let key = key.to_string();
        Self {
            reporter: self.reporter.under(&key),
            seed: mixed(self.seed, &key),
            ..self.clone()
        }
    }

    /// The same by another configuration. What is saved in a budget of its own stays.
    ///
    /// # Errors
    /// If the configuration is incoherent; then nothing has changed.
    pub(crate) fn reconfigured(&self, config: PolicyConfig) -> Result<Self, ConfigError> {
        config.validate(self.reporter.policy())?;
        if let Some(budget) = self.budget.as_ref().filter(|_| !self.shares_budget) {
            budget.reconfigure(&budget_config(&config), Instant::now());
        }
        let plan = self.clone();
        Ok(Self { config, ..plan })
    }
}

/// By FNV-1a: another seed for each key, and the same in each run and release.
fn mixed(seed: u64, key: &str) -> u64 {
    key.bytes().fold(seed, |mixed, byte| {
        (mixed ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

/// What the breaker must know of the rest of `config`.
pub(crate) fn circuit_settings(config: &PolicyConfig, seed: u64) -> CircuitSettings {
    CircuitSettings {
        lease: config.lease(),
        seed,
    }
}

/// What the retries of `config` may add.
pub(crate) fn budget_config(config: &PolicyConfig) -> BudgetConfig {
    let retry = config.retry.as_ref();
    retry.map(|retry| retry.budget.clone()).unwrap_or_default()
}

/// What calls under `config` share: with each other, and, of `kept`, with those before it.
pub(crate) fn parts<C>(config: PolicyConfig, classify: C, seed: u64, kept: Kept) -> Parts<C> {
    let Kept {
        reporter,
        circuit,
        slots,
        budget,
        shares_budget,
        jitter,
        hedge,
    } = kept;
    let once = RetryConfig {
        max_attempts: 1,
        ..RetryConfig::default()
    };
    let retry = config.retry.as_ref().unwrap_or(&once);
    Parts {
        retry: retry::Rules::new(retry, budget, jitter),
        hedge,
        circuit,
        slots,
        shares_budget,
        reporter,
        classify,
        seed,
        config,
    }
}
