//! A dependency that does as the test says and counts who comes.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use holdfast_policy::{Class, Classify};

/// What the dependency does with a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Does {
    Answer,
    AnswerAfter(Duration),
    /// Answers with a number that [`Judge`] calls a failure.
    AnswerBadly,
    Fail,
    FailAfter(Duration),
    /// Fails before the call reached anything.
    Refuse,
    /// Finds fault with the call, not with itself.
    Object,
    ObjectAfter(Duration),
    /// Fails and asks to be left alone.
    Ask(Duration),
    Hang,
    Panic,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("broken")]
    Broken,
    #[error("connection refused")]
    Refused,
    #[error("malformed request")]
    Malformed,
    #[error("busy")]
    Busy(Duration),
}

/// Knows what each [`Trouble`] means.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judge;

#[derive(Clone, Debug)]
pub(crate) struct Dependency {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    next: VecDeque<Does>,
    then: Does,
    calls: u32,
    in_flight: u32,
    peak: u32,
}

/// Counts a call as in flight until dropped.
struct InFlight(Arc<Mutex<State>>);

pub(crate) const GOOD: u32 = 200;
pub(crate) const BAD: u32 = 503;

impl Classify<u32, Trouble> for Judge {
    fn classify(&self, outcome: &Result<u32, Trouble>) -> Class {
        match outcome {
            Ok(BAD) => Class::failure().retry_if_idempotent(),
            Ok(_) => Class::success(),
            Err(Trouble::Broken) => Class::failure().retry_if_idempotent(),
            Err(Trouble::Refused) => Class::failure().retry_always(),
            Err(Trouble::Malformed) => Class::neutral(),
            Err(Trouble::Busy(wait)) => Class::failure().retry_if_idempotent().retry_after(*wait),
        }
    }
}

impl Dependency {
    pub(crate) fn that(does: Does) -> Self {
        let next = VecDeque::new();
        let state = State {
            next,
            then: does,
            calls: 0,
            in_flight: 0,
            peak: 0,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Does each of these once, and then what it did before.
    pub(crate) fn first(self, does: impl IntoIterator<Item = Does>) -> Self {
        self.state.lock().unwrap().next.extend(does);
        self
    }

    /// Does this from now on.
    pub(crate) fn now(&self, does: Does) {
        self.state.lock().unwrap().then = does;
    }

    /// Calls that reached it.
    pub(crate) fn calls(&self) -> u32 {
        self.state.lock().unwrap().calls
    }

    /// The most calls that were in flight at once.
    pub(crate) fn peak(&self) -> u32 {
        self.state.lock().unwrap().peak
    }

    pub(crate) fn respond(&self) -> impl Future<Output = Result<u32, Trouble>> + Send + use<> {
        let state = Arc::clone(&self.state);
        async move {
            let does = {
                let mut state = state.lock().unwrap();
                state.calls += 1;
                state.in_flight += 1;
                state.peak = state.peak.max(state.in_flight);
                state.next.pop_front().unwrap_or(state.then)
            };
            let _in_flight = InFlight(state);
            act(does).await
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.lock().unwrap().in_flight -= 1;
    }
}

async fn act(does: Does) -> Result<u32, Trouble> {
    match does {
        Does::Answer => Ok(GOOD),
        Does::AnswerAfter(time) => {
            tokio::time::sleep(time).await;
            Ok(GOOD)
        }
        Does::AnswerBadly => Ok(BAD),
        Does::Fail => Err(Trouble::Broken),
        Does::FailAfter(time) => {
            tokio::time::sleep(time).await;
            Err(Trouble::Broken)
        }
        Does::Refuse => Err(Trouble::Refused),
        Does::Object => Err(Trouble::Malformed),
        Does::ObjectAfter(time) => {
            tokio::time::sleep(time).await;
            Err(Trouble::Malformed)
        }
        Does::Ask(wait) => Err(Trouble::Busy(wait)),
        Does::Hang => std::future::pending().await,
        Does::Panic => panic!("the operation panics"),
    }
}
