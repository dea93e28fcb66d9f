//! The policies around a service for requests that can be sent only once.

use std::fmt;
use std::task::{Context, Poll};

use tokio::time::Instant;
use tower::util::Oneshot;
use tower_layer::Layer;
use tower_service::Service;

use super::future::StackFuture;
use crate::attempt::Once;
use crate::call::Call;
use crate::class::Classify;
use crate::error::Error;
use crate::handle::Handle;
use crate::parts::Parts;

/// What [`Policy::layer_once`](crate::Policy::layer_once) makes.
pub struct OnceLayer<C> {
    parts: Handle<Parts<C>>,
}

/// A service behind all policies but retry and hedge, for calls of `R`, which need not be `Clone`. In all else a
/// [`Stack`](crate::Stack).
pub struct OnceStack<S, C> {
    parts: Handle<Parts<C>>,
    service: S,
}

/// One request to one clone of a service.
type Send<S, R> = fn((S, R)) -> Oneshot<S, R>;

impl<C> OnceLayer<C> {
    pub(crate) fn new(parts: Handle<Parts<C>>) -> Self {
        Self { parts }
    }
}

impl<S, C> Layer<S> for OnceLayer<C> {
    type Service = OnceStack<S, C>;

    fn layer(&self, service: S) -> Self::Service {
        let parts = self.parts.fork();
        OnceStack { parts, service }
    }
}

impl<S, C, R> Service<Call<R>> for OnceStack<S, C>
where
    S: Service<R> + Clone,
    C: Classify<S::Response, S::Error>,
{
    type Response = S::Response;
    type Error = Error<S::Error>;
    type Future = StackFuture<Once<Send<S, R>, (S, R)>, C>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call<R>) -> Self::Future {
        let (now, service) = (Instant::now(), self.service.clone());
        let send: Send<S, R> = |(service, request)| Oneshot::new(service, request);
        StackFuture::start(&self.parts, call, now, |request| {
            Once::new(send, (service, request))
        })
    }
}

impl<C> Clone for OnceLayer<C> {
    fn clone(&self) -> Self {
        Self::new(self.parts.fork())
    }
}

impl<S: Clone, C> Clone for OnceStack<S, C> {
    fn clone(&self) -> Self {
        Self {
            parts: self.parts.clone(),
            service: self.service.clone(),
        }
    }
}

impl<C> fmt::Debug for OnceLayer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut layer = f.debug_struct("OnceLayer");
        layer.field("parts", &self.parts).finish()
    }
}

impl<S, C> fmt::Debug for OnceStack<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut stack = f.debug_struct("OnceStack");
        stack.field("parts", &self.parts).finish_non_exhaustive()
    }
}
