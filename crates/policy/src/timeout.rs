//! The attempt timeout: no single attempt takes longer, whatever the service does, and none outlasts the
//! deadline of its call.
//!
//! # Semantics
//!
//! Runs from the attempt's admission by the bulkhead, so that waiting for a slot does not use it up, and
//! includes the wait until the service is ready. Cut, the attempt is dropped by its caller.
//! Whether the dependency carries it out all the same nobody knows, so it is tried again only if the
//! call is idempotent. To the breaker it is a failure.
//!
//! Left out (`attempt_timeout = false`), an attempt may use all that is left of the deadline. Cut by
//! that, it is neutral to the breaker unless it was slow already: so a policy without an attempt timeout
//! that has a breaker needs `slow_call`, or nobody would ever see that the dependency hangs.
//!
//! The timer costs nothing until an attempt has to wait: an answer that is there at once never touches
//! the runtime's timer wheel.
//!
//! # Defaults, and why
//!
//! | key | default |
//! |---|---|
//! | `attempt_timeout` | `"1s"`; `false` leaves it out |
//!
//! A little above what the dependency takes at its worst while it is well (its 99.9th percentile), for
//! each healthy call that is cut comes back as a retry.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

use crate::call::Call;
use crate::due::Deadline;
use crate::error::{Error, ErrorKind};
use crate::lazy_sleep::LazySleep;
use crate::progress::{Admission, Progress};

/// Cuts an attempt after a fixed time, and at the deadline of its call.
#[derive(Clone, Copy, Debug)]
pub struct TimeoutLayer {
    after: Option<Duration>,
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
        cut: Cut,
        #[pin]
        inner: F,
        #[pin]
        sleep: LazySleep,
    }
}

/// Why the attempt is cut when the time is over.
#[derive(Clone, Copy, Debug)]
enum Cut {
    AttemptTimeout(Duration),
    Deadline,
}

impl TimeoutLayer {
    /// Cuts attempts `after` that long, or earlier at the deadline.
    pub fn new(after: Duration) -> Self {
        let after = Some(after);
        Self { after }
    }

    /// Cuts attempts at the deadline alone.
    pub fn at_deadline() -> Self {
        Self { after: None }
    }

    /// Cuts attempts after that long, if it is said.
    pub(crate) fn optional(after: Option<Duration>) -> Self {
        Self { after }
    }

    /// When an attempt that starts at `now` is cut, and what that means. One due at both moments was
    /// too slow: that says more than that its caller's time was up.
    #[inline]
    fn cut(self, now: Instant, deadline: Option<Deadline>) -> (Instant, Cut) {
        let timeout = self
            .after
            .map(|after| (Deadline::at(now).plus(after), after));
        match (timeout, deadline) {
            (Some((end, after)), deadline) if deadline.is_none_or(|deadline| end <= deadline) => {
                (end.instant(), Cut::AttemptTimeout(after))
            }
            (_, Some(deadline)) => (deadline.instant(), Cut::Deadline),
            // Nobody sets a bound: one that no attempt lives to see.
            (_, None) => (Deadline::never(now).instant(), Cut::Deadline),
        }
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
        let (end, cut) = self.layer.cut(call.now(), call.deadline);
        TimeoutFuture {
            cut,
            inner: self.inner.call(call),
            sleep: LazySleep::at(end),
        }
    }
}

impl<F, T, E> Future for TimeoutFuture<F>
where
    F: Future<Output = Result<T, Error<E>>>,
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        // The answer first: one that is there is used, however late this task got to run.
        if let Poll::Ready(result) = this.inner.poll(cx) {
            return Poll::Ready(result);
        }
        ready!(this.sleep.poll(cx));
        let error = match *this.cut {
            Cut::AttemptTimeout(after) => Error::new(ErrorKind::AttemptTimeout).after(after),
            Cut::Deadline => Error::new(ErrorKind::DeadlineExceeded),
        };
        Poll::Ready(Err(error.after_attempts(1)))
    }
}

impl<F: Progress> Progress for TimeoutFuture<F> {
    fn admission(&self) -> Option<Admission> {
        self.inner.admission()
    }
}
