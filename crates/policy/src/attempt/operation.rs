//! What is attempted: a service or a function, and the request it is given each time.

use std::future::Future;

use tower::util::Oneshot;
use tower_service::Service;

use super::Attempt;
use crate::error::ErrorKind;

mod sealed {
    /// What is attempted is one of the kinds below: so [`Operation`](super::Operation) may grow.
    pub trait Sealed {}
}

impl<S, R> sealed::Sealed for Repeated<S, R> {}
impl<F, R> sealed::Sealed for Function<F, R> {}
impl<F, R> sealed::Sealed for Numbered<F, R> {}
impl<F, R> sealed::Sealed for Once<F, R> {}

/// Makes the attempts of one call. It is there to be named, in [`StackFuture`](crate::StackFuture): nothing outside of this
/// crate implements it.
pub trait Operation: sealed::Sealed {
    /// The dependency's answer.
    type Response;
    /// What it fails by.
    type Error;
    /// One attempt.
    type Future: Future<Output = Result<Self::Response, Self::Error>>;

    /// Whether there can be more than one.
    const REPEATABLE: bool;

    /// The attempt `number`, from 1; `hedged` if it runs beside another. `None`: it cannot be repeated.
    fn attempt(&mut self, number: u32, hedged: bool) -> Option<Self::Future>;
}

/// What comes of an attempt.
pub(crate) type OperationResult<O> =
    Result<<O as Operation>::Response, ErrorKind<<O as Operation>::Error>>;

/// A service that each attempt calls a clone of.
#[derive(Debug)]
pub struct Repeated<S, R> {
    service: S,
    request: R,
}

/// A function of the request.
#[derive(Debug)]
pub struct Function<F, R> {
    function: F,
    request: R,
}

/// A function that is told which attempt it makes.
#[derive(Debug)]
pub struct Numbered<F, R> {
    function: F,
    request: R,
}

/// A function that consumes itself and the request.
#[derive(Debug)]
pub struct Once<F, R>(Option<(F, R)>);

impl<S, R> Repeated<S, R> {
    pub(crate) fn new(service: S, request: R) -> Self {
        Self { service, request }
    }
}

impl<F, R> Function<F, R> {
    pub(crate) fn new(function: F, request: R) -> Self {
        Self { function, request }
    }
}

impl<F, R> Numbered<F, R> {
    pub(crate) fn new(function: F, request: R) -> Self {
        Self { function, request }
    }
}

impl<F, R> Once<F, R> {
    pub(crate) fn new(function: F, request: R) -> Self {
        Self(Some((function, request)))
    }
}

impl<S: Service<R> + Clone, R: Clone> Operation for Repeated<S, R> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = Oneshot<S, R>;

    const REPEATABLE: bool = true;

    #[inline]
    fn attempt(&mut self, _: u32, _: bool) -> Option<Self::Future> {
        Some(Oneshot::new(self.service.clone(), self.request.clone()))
    }
}

impl<F, R, Fut, T, E> Operation for Function<F, R>
where
    F: Fn(R) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    R: Clone,
{
    type Response = T;
    type Error = E;
    type Future = Fut;

    const REPEATABLE: bool = true;

    #[inline]
    fn attempt(&mut self, _: u32, _: bool) -> Option<Self::Future> {
        Some((self.function)(self.request.clone()))
    }
}

impl<F, R, Fut, T, E> Operation for Numbered<F, R>
where
    F: Fn(Attempt<R>) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    R: Clone,
{
    type Response = T;
    type Error = E;
    type Future = Fut;

    const REPEATABLE: bool = true;

    #[inline]
    fn attempt(&mut self, number: u32, hedged: bool) -> Option<Self::Future> {
        Some((self.function)(Attempt {
            request: self.request.clone(),
            number,
            hedged,
        }))
    }
}

impl<F, R, Fut, T, E> Operation for Once<F, R>
where
    F: FnOnce(R) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    type Response = T;
    type Error = E;
    type Future = Fut;

    const REPEATABLE: bool = false;

    #[inline]
    fn attempt(&mut self, _: u32, _: bool) -> Option<Self::Future> {
        let (function, request) = self.0.take()?;
        Some(function(request))
    }
}
