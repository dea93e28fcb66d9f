//! Waits for a place, runs the attempt in it, gives the place back.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower_service::Service;

use super::slots::{Permit, Slots, Wait};
use crate::alarm::Alarm;
use crate::call::Call;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind};
use crate::progress::{Admission, Progress};

pin_project! {
    /// The future of [`BulkheadService`](super::BulkheadService). Dropping it frees the place.
    #[must_use = "futures do nothing unless polled"]
    pub struct BulkheadFuture<S: Service<Call<R>>, R> {
        #[pin]
        state: State<S, R>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S: Service<Call<R>>, R> {
        Waiting {
            #[pin]
            waiting: Waiting<S, R>,
        },
        Running {
            // Dropped before the permit: the place is free only when the attempt is gone.
            #[pin]
            inner: S::Future,
            permit: Option<Permit>,
        },
        Refused { policy: Arc<str> },
        Done { admission: Option<Admission> },
    }
}

pin_project! {
    /// An attempt in the queue. Becomes the state that follows.
    pub(super) struct Waiting<S, R> {
        pub(super) slots: Slots,
        pub(super) wait: Wait,
        #[pin]
        pub(super) patience: Alarm,
        // A place that comes later leaves no time for the attempt.
        pub(super) latest: Option<Deadline>,
        // What to do once a place is there; taken then.
        pub(super) then: Option<(S, Call<R>)>,
    }
}

impl<S: Service<Call<R>>, R> BulkheadFuture<S, R> {
    #[inline]
    pub(super) fn running(inner: S::Future, permit: Option<Permit>) -> Self {
        Self {
            state: State::Running { inner, permit },
        }
    }

    pub(super) fn waiting(waiting: Waiting<S, R>) -> Self {
        Self {
            state: State::Waiting { waiting },
        }
    }

    pub(super) fn refused(policy: Arc<str>) -> Self {
        Self {
            state: State::Refused { policy },
        }
    }
}

impl<S, R, E> Future for BulkheadFuture<S, R>
where
    S: Service<Call<R>, Error = Error<E>>,
    S::Future: Progress,
{
    type Output = Result<S::Response, Error<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProj::Waiting { waiting } => ready!(waiting.poll(cx)),
                StateProj::Running { mut inner, .. } => {
                    let result = ready!(inner.as_mut().poll(cx));
                    let admission = inner.admission();
                    state.set(State::Done { admission });
                    return Poll::Ready(result);
                }
                StateProj::Refused { policy } => {
                    let error = Error::new(ErrorKind::BulkheadFull).of(policy);
                    state.set(State::Done { admission: None });
                    return Poll::Ready(Err(error));
                }
                StateProj::Done { .. } => return Poll::Pending,
            };
            state.set(next);
        }
    }
}

impl<S: Service<Call<R>>, R> Waiting<S, R> {
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<State<S, R>> {
        let this = self.project();
        if let Some(permit) = this.wait.place(cx) {
            let now = Instant::now();
            let in_time = this.latest.is_none_or(|latest| now <= latest.instant());
            if let Some((mut inner, call)) = this.then.take().filter(|_| in_time) {
                let inner = inner.call(call.stamp(now));
                let permit = Some(permit);
                return Poll::Ready(State::Running { inner, permit });
            }
        } else {
            ready!(this.patience.poll(cx));
        }
        this.slots.tell_refused();
        Poll::Ready(State::Refused {
            policy: Arc::clone(this.slots.policy()),
        })
    }
}

impl<S, R> Progress for BulkheadFuture<S, R>
where
    S: Service<Call<R>>,
    S::Future: Progress,
{
    fn admission(&self) -> Option<Admission> {
        match &self.state {
            State::Running { inner, .. } => inner.admission(),
            State::Done { admission } => *admission,
            State::Waiting { .. } | State::Refused { .. } => None,
        }
    }
}
