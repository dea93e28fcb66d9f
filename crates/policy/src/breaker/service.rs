//! Asks the breaker for a ticket before each attempt.

use std::sync::Arc;
use std::task::{Context, Poll};

use tower_layer::Layer;
use tower_service::Service;

use super::circuit::Circuit;
use super::future::BreakerFuture;
use super::ticket::Ticket;
use crate::call::Call;
use crate::class::Classify;
use crate::error::Error;
use crate::now::Now;
use crate::progress::Progress;

/// Stops attempts while their dependency is failing.
#[derive(Clone, Debug)]
pub struct BreakerLayer<C> {
    circuit: Option<Circuit>,
    classify: C,
}

/// See [`BreakerLayer`].
#[derive(Clone, Debug)]
pub struct BreakerService<S, C> {
    layer: BreakerLayer<C>,
    inner: S,
}

impl<C> BreakerLayer<C> {
    /// Attempts share `circuit`; `classify` tells which of them failed.
    pub fn new(circuit: Circuit, classify: C) -> Self {
        Self::optional(Some(circuit), classify)
    }

    /// Without a circuit every attempt passes.
    pub(crate) fn optional(circuit: Option<Circuit>, classify: C) -> Self {
        Self { circuit, classify }
    }

    pub(crate) fn fork(&self) -> Self
    where
        C: Clone,
    {
        let circuit = self.circuit.as_ref().map(Circuit::fork);
        Self::optional(circuit, self.classify.clone())
    }
}

impl<S, C: Clone> Layer<S> for BreakerLayer<C> {
    type Service = BreakerService<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        BreakerService {
            layer: self.clone(),
            inner,
        }
    }
}

impl<S, C, R, E> Service<Call<R>> for BreakerService<S, C>
where
    S: Service<Call<R>, Error = Error<E>>,
    S::Future: Progress,
    C: Classify<S::Response, E>,
{
    type Response = S::Response;
    type Error = Error<E>;
    type Future = BreakerFuture<S::Future, C>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, call: Call<R>) -> Self::Future {
        let BreakerLayer { circuit, classify } = &self.layer;
        let Some(circuit) = circuit else {
            return BreakerFuture::admitted(self.inner.call(call), None, classify.clone());
        };
        let now = Now::from(call.stamped());
        let shared = circuit.shared();
        match shared.admit(&now) {
            Ok(pass) => {
                let ticket = Ticket::new(circuit.clone(), pass, call.number);
                let call = if shared.is_timed() {
                    call.stamp(now.instant())
                } else {
                    call
                };
                BreakerFuture::admitted(self.inner.call(call), Some(ticket), classify.clone())
            }
            Err(refusal) => BreakerFuture::refused(Arc::clone(shared.name()), refusal),
        }
    }
}
