//! The attempt timeout: no single attempt takes longer, whatever the service does.
//!
//! # Semantics
//!
//! Runs from the attempt's admission by the bulkhead, so that waiting for a place does not use it up, and
//! includes the wait until the service is ready. Cut, the attempt is dropped by whoever waits for it.
//! Whether the dependency carries it out all the same nobody knows, so it is tried again only if the
//! call is idempotent. To the breaker it is a failure.
//!
//! The timer costs nothing until an attempt has to wait: an answer that is there at once never touches
//! the runtime's timer wheel.
//!
//! # Defaults, and why
//!
//! A little above what the dependency takes at its worst while it is well (its 99.9th percentile), for
//! each healthy call that is cut comes back as a retry.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::alarm::Alarm;
use crate::call::Call;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind};
use crate::progress::{Admission, Progress};

/// Cuts an attempt after a fixed time.
#[derive(Clone, Copy, Debug)]
pub struct TimeoutLayer {
    policy: &'static str,
    after: Duration,
}

/// See [`TimeoutLayer`].
#[derive(Clone, Copy, Debug)]
pub struct TimeoutService<S> {
    layer: TimeoutLayer,
    inner: S,
}

pin_project! {
    /// The future of [`TimeoutService`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct TimeoutFuture<F> {
        layer: TimeoutLayer,
        #[pin]
        inner: F,
        #[pin]
        alarm: Alarm,
    }
}

impl TimeoutLayer {
    /// Cuts attempts `after` that long; `policy` is the name that errors carry.
    pub fn new(policy: &'static str, after: Duration) -> Self {
        Self { policy, after }
    }
}

impl<S> Layer<S> for TimeoutLayer {
    type Service = TimeoutService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        TimeoutService {
            layer: *self,
            inner,
        }
    }
}

impl<S, R, E> Service<Call<R>> for TimeoutService<S>
where
    S: Service<Call<R>, Error = Error<E>>,
{
    type Response = S::Response;
    type Error = Error<E>;
    type Future = TimeoutFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, call: Call<R>) -> Self::Future {
        let end = Deadline::at(call.now()).plus(self.layer.after);
        TimeoutFuture {
            layer: self.layer,
            inner: self.inner.call(call),
            alarm: Alarm::at(end.instant()),
        }
    }
}

impl<F, T, E> Future for TimeoutFuture<F>
where
    F: Future<Output = Result<T, Error<E>>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        // The answer first: one that is there is used, however late this task got to run.
        if let Poll::Ready(result) = this.inner.poll(cx) {
            return Poll::Ready(result);
        }
        ready!(this.alarm.poll(cx));
        let TimeoutLayer { policy, after } = *this.layer;
        let error = Error::new(policy, ErrorKind::AttemptTimeout)
            .after_attempts(1)
            .after(after);
        Poll::Ready(Err(error))
    }
}

impl<F: Progress> Progress for TimeoutFuture<F> {
    fn admission(&self) -> Option<Admission> {
        self.inner.admission()
    }
}
