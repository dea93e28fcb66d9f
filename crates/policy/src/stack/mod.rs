//! The one place that composes the policies, outermost first:
//!
//! 1. *deadline* (`future`): it is the bound that the caller relies on, for attempts and waits together;
//! 2. *retry* (`future`): inside the deadline, which its waits must not pass; outside the breaker, for a retry is a
//!    new attempt and must ask again;
//! 3. *hedge* (`round`): outside the breaker, for the second attempt must ask again and be counted on its own;
//!    inside retry, for what is tried again is the race, once neither of the two has brought an answer;
//! 4. *breaker* (`guard`): it must see every attempt, not only the last of a call;
//! 5. *limit* (`guard`): inside the breaker, for what that refuses takes no slot;
//! 6. *attempt timeout* (`guard`): inside the limit, for the wait for a slot is not the dependency's slowness, and so
//!    that every slot is held by an attempt which will end;
//! 7. the call itself ([`Operation`](crate::attempt::Operation)): readying a service is part of the attempt and cut with it.
//!
//! All of them work on one future that stays where it is, by one handle to what calls share. Futures in futures, a
//! layer each, took more than twice the time: each layer moved what the layer inside it had just written, and
//! counted a handle of its own up and down.

mod attempt;
mod future;
mod guard;
mod once;
mod refused;
mod round;
mod terms;
mod waiting;

use std::fmt;
use std::task::{Context, Poll};

use tokio::time::Instant;
use tower_service::Service;

use crate::attempt::Repeated;
use crate::call::Call;
use crate::class::Classify;
use crate::error::Error;
use crate::handle::Handle;
use crate::parts::Parts;

pub use self::future::StackFuture;
pub use self::once::{OnceLayer, OnceStack};

/// A service behind all policies, for calls of `R`: a
/// `Service<Call<R>, Response = T, Error = Error<E>>` for any `S: Service<R, Response = T, Error =
/// E> + Clone`.
///
/// It is ready whenever it is asked, and takes nothing by that: each attempt waits for the readiness of a clone of
/// the service of its own, so that a service that is never ready is cut by the attempt timeout and seen by the
/// breaker like any hung call.
///
/// A request that may be sent twice must be `Clone`; one that is not goes through an [`OnceStack`].
pub struct Stack<S, C> {
    parts: Handle<Parts<C>>,
    service: S,
}

impl<S, C> Stack<S, C> {
    pub(crate) fn new(parts: Handle<Parts<C>>, service: S) -> Self {
        Self { parts, service }
    }
}

impl<S, C> fmt::Debug for Stack<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut stack = f.debug_struct("Stack");
        stack.field("parts", &self.parts).finish_non_exhaustive()
    }
}

impl<S: Clone, C> Clone for Stack<S, C> {
    fn clone(&self) -> Self {
        Self {
            parts: self.parts.clone(),
            service: self.service.clone(),
        }
    }
}

impl<S, C, R> Service<Call<R>> for Stack<S, C>
where
    S: Service<R> + Clone,
    C: Classify<S::Response, S::Error>,
    R: Clone,
{
    type Response = S::Response;
    type Error = Error<S::Error>;
    type Future = StackFuture<Repeated<S, R>, C>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    // Inlined, so that the future is made where the caller keeps it.
    #[inline(always)]
    fn call(&mut self, call: Call<R>) -> Self::Future {
        // The clock first: while it is read, what the caller has just written arrives.
        let (now, service) = (Instant::now(), self.service.clone());
        StackFuture::start(&self.parts, call, now, |request| {
            Repeated::new(service, request)
        })
    }
}
