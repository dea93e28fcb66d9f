//! The first attempt, and the race that a second one may make of it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tower_service::Service;

use super::race::Race;
use crate::call::Call;
use crate::class::Classify;
use crate::error::Error;
use crate::progress::{Admission, Progress};

pin_project! {
    /// The future of [`HedgeService`](super::HedgeService). Dropping it cancels both attempts.
    #[must_use = "futures do nothing unless polled"]
    pub struct HedgeFuture<S: Service<Call<R>>, R, C> {
        // `None`: it lost.
        #[pin]
        first: Option<S::Future>,
        // `None`: this attempt stays alone. In a box, for it is as large as all the rest, and most policies
        // hedge nothing.
        race: Option<Pin<Box<Race<S, R, C>>>>,
    }
}

impl<S: Service<Call<R>>, R, C> HedgeFuture<S, R, C> {
    #[inline]
    pub(super) fn alone(first: S::Future) -> Self {
        Self {
            first: Some(first),
            race: None,
        }
    }

    pub(super) fn hedged(first: S::Future, race: Race<S, R, C>) -> Self {
        Self {
            first: Some(first),
            race: Some(Box::pin(race)),
        }
    }
}

impl<S, R, C, E> Future for HedgeFuture<S, R, C>
where
    S: Service<Call<R>, Error = Error<E>>,
    S::Future: Progress,
    C: Classify<S::Response, E>,
    R: Clone,
{
    type Output = Result<S::Response, Error<E>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        match this.race {
            Some(race) => race.as_mut().poll(this.first, cx),
            None => this
                .first
                .as_pin_mut()
                .map_or(Poll::Pending, |first| first.poll(cx)),
        }
    }
}

impl<S, R, C> Progress for HedgeFuture<S, R, C>
where
    S: Service<Call<R>>,
    S::Future: Progress,
{
    fn admission(&self) -> Option<Admission> {
        let first = self.first.as_ref().and_then(Progress::admission);
        let second = || self.race.as_ref().and_then(|race| race.admission());
        first.or_else(second)
    }

    fn attempts(&self) -> u32 {
        let first = self.first.as_ref().map_or(0, Progress::attempts);
        first + self.race.as_ref().map_or(0, |race| race.attempts())
    }
}
