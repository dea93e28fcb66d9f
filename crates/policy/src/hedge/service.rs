//! Puts a race around each attempt that may be hedged.

use std::sync::Arc;
use std::task::{Context, Poll};

use tower_layer::Layer;
use tower_service::Service;

use super::future::HedgeFuture;
use super::observed::Delay;
use super::race::Race;
use super::rules::{HedgeSettings, Rules};
use crate::call::Call;
use crate::class::Classify;
use crate::config::HedgeConfig;
use crate::error::Error;
use crate::handle::Handle;
use crate::progress::Progress;
use crate::reporter::Reporter;
use crate::retry::Budget;

/// Starts a second attempt beside one that takes unusually long.
#[derive(Clone, Debug)]
pub struct HedgeLayer<C> {
    rules: Option<Handle<Rules>>,
    classify: C,
}

/// See [`HedgeLayer`].
#[derive(Clone, Debug)]
pub struct HedgeService<S, C> {
    layer: HedgeLayer<C>,
    inner: S,
}

impl<C> HedgeLayer<C> {
    /// Hedges draw from `budget`; `classify` tells what is a whole answer.
    pub fn new(
        config: &HedgeConfig,
        settings: HedgeSettings,
        budget: Budget,
        classify: C,
        reporter: Reporter,
    ) -> Self {
        let rules = Rules::new(config, settings, budget, reporter);
        Self {
            rules: Some(Handle::new(rules)),
            classify,
        }
    }

    /// Every attempt stays alone.
    pub(crate) fn left_out(classify: C) -> Self {
        Self {
            rules: None,
            classify,
        }
    }

    pub(crate) fn fork(&self) -> Self
    where
        C: Clone,
    {
        Self {
            rules: self.rules.as_ref().map(Handle::fork),
            classify: self.classify.clone(),
        }
    }

    /// Who tells what is a whole answer.
    pub(crate) fn classify(&self) -> &C {
        &self.classify
    }

    /// How long a first attempt is waited for.
    pub(crate) fn delay(&self) -> Option<Arc<Delay>> {
        self.rules.as_ref().map(|rules| Arc::clone(&rules.delay))
    }
}

impl<S, C: Clone> Layer<S> for HedgeLayer<C> {
    type Service = HedgeService<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        HedgeService {
            layer: self.clone(),
            inner,
        }
    }
}

impl<S, C, R, E> Service<Call<R>> for HedgeService<S, C>
where
    S: Service<Call<R>, Error = Error<E>> + Clone,
    S::Future: Progress,
    C: Classify<S::Response, E>,
    R: Clone,
{
    type Response = S::Response;
    type Error = Error<E>;
    type Future = HedgeFuture<S, R, C>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, call: Call<R>) -> Self::Future {
        let HedgeLayer { rules, classify } = &self.layer;
        let Some(rules) = rules.as_ref().filter(|rules| rules.allow(call.idempotent)) else {
            return HedgeFuture::alone(self.inner.call(call));
        };
        let now = call.now();
        let call = call.stamp(now);
        let first = self.inner.call(call.clone());
        let race = Race::new(rules.clone(), self.inner.clone(), call, classify.clone());
        HedgeFuture::hedged(first, race)
    }
}
