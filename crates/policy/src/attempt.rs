//! The innermost layer: one attempt on the service itself.
//!
//! Each attempt works on a fresh clone of the service, and waits for its readiness *inside* the attempt.
//! So a service that never becomes ready is cut by the attempt timeout and seen by the breaker like any
//! hung call, and `poll_ready` of the whole stack takes nothing: a readied clone that is never called
//! leaks nothing.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tower::util::Oneshot;
use tower_layer::Layer;
use tower_service::Service;

use crate::call::Call;
use crate::error::{Error, ErrorKind};
use crate::progress::{Admission, Progress};

/// Turns a `Service<R>` into the `Service<Call<R>>` all other layers are built on.
#[derive(Clone, Copy, Debug, Default)]
pub struct AttemptLayer;

/// See [`AttemptLayer`].
#[derive(Clone, Copy, Debug)]
pub struct AttemptService<S> {
    inner: S,
}

pin_project! {
    /// The future of [`AttemptService`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct AttemptFuture<S: Service<R>, R> {
        admission: Admission,
        touched: bool,
        #[pin]
        inner: Oneshot<S, R>,
    }
}

/// What an operation is told that wants to know which attempt it makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt<R> {
    /// What the dependency is asked.
    pub request: R,
    /// Which attempt of its call this is, from 1; retries and hedges are counted alike.
    pub number: u32,
    /// Whether it runs beside another that takes long: elsewhere it has better luck.
    pub hedged: bool,
}

/// The same as [`AttemptService`] around a `Service<Attempt<R>>`.
#[derive(Clone, Copy, Debug)]
pub struct NumberedService<S> {
    inner: S,
}

/// The service of an operation that travels with its request.
#[derive(Clone, Copy, Debug)]
pub struct Once;

impl<F, R, Fut, T, E> Service<(F, R)> for Once
where
    F: FnOnce(R) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    type Response = T;
    type Error = E;
    type Future = Fut;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), E>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, (operation, request): (F, R)) -> Fut {
        operation(request)
    }
}

impl<S> Layer<S> for AttemptLayer {
    type Service = AttemptService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AttemptService { inner }
    }
}

impl<S: Service<R> + Clone, R> Service<Call<R>> for AttemptService<S> {
    type Response = S::Response;
    type Error = Error<S::Error>;
    type Future = AttemptFuture<S, R>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, call: Call<R>) -> Self::Future {
        AttemptFuture::start(self.inner.clone(), call)
    }
}

impl<S> NumberedService<S> {
    /// Attempts on `inner`.
    pub fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S: Service<Attempt<R>> + Clone, R> Service<Call<R>> for NumberedService<S> {
    type Response = S::Response;
    type Error = Error<S::Error>;
    type Future = AttemptFuture<S, Attempt<R>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, call: Call<R>) -> Self::Future {
        let (number, hedged) = (call.number, call.hedged);
        let numbered = call.map(|request| Attempt {
            request,
            number,
            hedged,
        });
        AttemptFuture::start(self.inner.clone(), numbered)
    }
}

impl<S: Service<R>, R> AttemptFuture<S, R> {
    #[inline]
    fn start(service: S, call: Call<R>) -> Self {
        Self {
            admission: Admission { at: call.stamped() },
            touched: false,
            inner: Oneshot::new(service, call.request),
        }
    }
}

impl<S: Service<R>, R> Future for AttemptFuture<S, R> {
    type Output = Result<S::Response, Error<S::Error>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        *this.touched = true;
        let failed = |cause| Error::new(ErrorKind::Failed(cause)).after_attempts(1);
        this.inner.poll(cx).map_err(failed)
    }
}

impl<S: Service<R>, R> Progress for AttemptFuture<S, R> {
    fn admission(&self) -> Option<Admission> {
        self.touched.then_some(self.admission)
    }
}
