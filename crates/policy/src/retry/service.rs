//! Starts the first attempt of a call.

use std::task::{Context, Poll};

use tower_layer::Layer;
use tower_service::Service;

use super::budget::Budget;
use super::future::RetryFuture;
use super::rules::{RetrySettings, Rules};
use crate::call::Call;
use crate::class::Classify;
use crate::config::RetryConfig;
use crate::error::Error;
use crate::handle::Handle;
use crate::progress::Progress;
use crate::reporter::Reporter;

/// Tries again what is worth trying again.
#[derive(Clone, Debug)]
pub struct RetryLayer<C> {
    rules: Handle<Rules>,
    classify: C,
}

/// See [`RetryLayer`].
#[derive(Clone, Debug)]
pub struct RetryService<S, C> {
    layer: RetryLayer<C>,
    inner: S,
}

impl<C> RetryLayer<C> {
    /// Retries draw from `budget`; `classify` tells what may be tried again.
    pub fn new(
        config: &RetryConfig,
        settings: RetrySettings,
        budget: Budget,
        classify: C,
        reporter: Reporter,
    ) -> Self {
        Self {
            rules: Handle::new(Rules::new(config, settings, budget, reporter)),
            classify,
        }
    }
}

impl<C: Clone> RetryLayer<C> {
    pub(crate) fn fork(&self) -> Self {
        Self {
            rules: self.rules.fork(),
            classify: self.classify.clone(),
        }
    }

    /// Starts a call's first attempt on `service`, which is kept for those that may follow.
    #[inline]
    pub(crate) fn start<S, R, E>(&self, service: S, call: Call<R>) -> RetryFuture<S, R, C>
    where
        S: Service<Call<R>, Error = Error<E>>,
        R: Clone,
    {
        let now = call.now();
        self.rules.budget.deposit(now);
        let rules = self.rules.clone();
        RetryFuture::new(rules, service, call.stamp(now), self.classify.clone())
    }
}

impl<S, C: Clone> Layer<S> for RetryLayer<C> {
    type Service = RetryService<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        RetryService {
            layer: self.clone(),
            inner,
        }
    }
}

impl<S, C, R, E> Service<Call<R>> for RetryService<S, C>
where
    S: Service<Call<R>, Error = Error<E>> + Clone,
    S::Future: Progress,
    C: Classify<S::Response, E>,
    R: Clone,
{
    type Response = S::Response;
    type Error = Error<E>;
    type Future = RetryFuture<S, R, C>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, call: Call<R>) -> Self::Future {
        self.layer.start(self.inner.clone(), call)
    }
}
