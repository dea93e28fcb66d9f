//! Waits for a slot, runs the attempt in it, gives the slot back.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower_service::Service;

use crate::call::Call;
use crate::capacity::{Permit, Reserved, Signal, Slots, Wait, WaitState};
use crate::class::{AttemptVerdict, Classify, Health};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind};
use crate::event::RejectedBy;
use crate::lazy_sleep::LazySleep;
use crate::progress::{Admission, Progress};

pin_project! {
    /// The future of [`BulkheadService`](super::BulkheadService). Dropping it frees the slot.
    #[must_use = "futures do nothing unless polled"]
    pub struct BulkheadFuture<S: Service<Call<R>>, R, C> {
        #[pin]
        state: State<S, R, C>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S: Service<Call<R>>, R, C> {
        // In a box, for it is as large as all the rest, and most attempts find a slot.
        Waiting { waiting: Box<Waiting<S, R, C>> },
        Running {
            // Dropped before the slot: the slot is free only when the attempt is gone.
            #[pin]
            inner: S::Future,
            slot: Option<OccupiedSlot<C>>,
        },
        Refused { policy: Arc<str> },
        Done { admission: Option<Admission> },
    }
}

/// An attempt in the queue. Becomes the state that follows.
pub(super) struct Waiting<S, R, C> {
    pub(super) slots: Slots,
    pub(super) wait: Wait,
    pub(super) patience: LazySleep,
    // A slot that comes later leaves no time for the attempt.
    pub(super) latest: Option<Deadline>,
    // What to do once a slot is there; taken then.
    pub(super) then: Option<(S, Call<R>, C)>,
}

/// A slot, and who tells what became of the attempt in it.
#[derive(Debug)]
pub(super) struct OccupiedSlot<C> {
    held: Held,
    classify: C,
    // Of an attempt that an adaptive limit has not learned of yet.
    admitted: Option<Instant>,
}

/// Until dropped.
#[derive(Debug)]
pub(super) enum Held {
    Own(Permit),
    Ahead(Reserved),
}

impl Held {
    #[inline]
    pub(super) fn slots(&self) -> &Slots {
        match self {
            Self::Own(permit) => permit.slots(),
            Self::Ahead(reserved) => reserved.slots(),
        }
    }
}

impl<C> OccupiedSlot<C> {
    /// For an attempt that is admitted at this instant, which only an adaptive limit has to know.
    #[inline]
    pub(super) fn new(held: Held, classify: C, admitted: Option<Instant>) -> Self {
        let admitted = admitted.filter(|_| held.slots().is_adaptive());
        Self {
            held,
            classify,
            admitted,
        }
    }

    /// The attempt is over: an adaptive limit learns from it.
    #[inline]
    fn learn<T, E>(&mut self, result: Result<T, Error<E>>) -> Result<T, Error<E>>
    where
        C: Classify<T, E>,
    {
        let Some(admitted) = self.admitted.take() else {
            return result;
        };
        let (verdict, result) = AttemptVerdict::of(result, &self.classify);
        self.held.slots().learn(admitted, signal(verdict));
        result
    }
}

/// Of an attempt that is dropped the limit learns how long nobody answered it.
impl<C> Drop for OccupiedSlot<C> {
    #[inline]
    fn drop(&mut self) {
        if let Some(admitted) = self.admitted {
            self.held.slots().learn(admitted, Signal::GivenUp);
        }
    }
}

fn signal(verdict: AttemptVerdict) -> Signal {
    match verdict {
        AttemptVerdict::TimedOut => Signal::Overloaded,
        AttemptVerdict::Cut => Signal::GivenUp,
        AttemptVerdict::Finished(class) if class.throttled => Signal::Overloaded,
        AttemptVerdict::Finished(class) if class.health == Health::Success => Signal::Answered,
        AttemptVerdict::Finished(_) | AttemptVerdict::Rejected => Signal::Nothing,
    }
}

impl<S: Service<Call<R>>, R, C> BulkheadFuture<S, R, C> {
    #[inline]
    pub(super) fn running(inner: S::Future, slot: Option<OccupiedSlot<C>>) -> Self {
        Self {
            state: State::Running { inner, slot },
        }
    }

    pub(super) fn waiting(waiting: Waiting<S, R, C>) -> Self {
        Self {
            state: State::Waiting {
                waiting: Box::new(waiting),
            },
        }
    }

    pub(super) fn refused(policy: Arc<str>) -> Self {
        Self {
            state: State::Refused { policy },
        }
    }
}

impl<S, R, C, E> Future for BulkheadFuture<S, R, C>
where
    S: Service<Call<R>, Error = Error<E>>,
    S::Future: Progress,
    C: Classify<S::Response, E>,
{
    type Output = Result<S::Response, Error<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProj::Waiting { waiting } => ready!(waiting.poll(cx)),
                StateProj::Running { mut inner, slot } => {
                    let result = ready!(inner.as_mut().poll(cx));
                    let admission = inner.admission();
                    let result = match slot {
                        Some(slot) => slot.learn(result),
                        None => result,
                    };
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

impl<S: Service<Call<R>>, R, C> Waiting<S, R, C> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<State<S, R, C>> {
        let by = match self.wait.poll_permit(cx) {
            WaitState::Admitted(permit) => {
                let now = Instant::now();
                let in_time = self.latest.is_none_or(|latest| now <= latest.instant());
                if let Some((mut inner, call, classify)) = self.then.take().filter(|_| in_time) {
                    let inner = inner.call(call.stamp(now));
                    let held = Held::Own(permit);
                    let slot = Some(OccupiedSlot::new(held, classify, Some(now)));
                    return Poll::Ready(State::Running { inner, slot });
                }
                RejectedBy::Bulkhead
            }
            WaitState::Waiting => {
                ready!(Pin::new(&mut self.patience).poll(cx));
                RejectedBy::Bulkhead
            }
            WaitState::Shed => RejectedBy::Shed,
        };
        self.slots.emit_refused(by);
        Poll::Ready(State::Refused {
            policy: Arc::clone(self.slots.policy()),
        })
    }
}

impl<S, R, C> Progress for BulkheadFuture<S, R, C>
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
