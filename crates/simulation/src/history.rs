//! What clients were told, for the checks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use holdfast_api::embedded::Outcome;
use holdfast_wire::RecordedIn;
use uuid::Uuid;

/// One call of a client and what it was told.
#[derive(Debug, Clone)]
pub struct Told {
    /// The id that the replica gave the call.
    pub request: Uuid,
    /// Its key.
    pub key: Option<u8>,
    /// Whether Postgres refuses its body.
    pub poison: bool,
    /// Which replica, and in which of its lives.
    pub replica: (u8, u32),
    /// Virtual microseconds.
    pub asked_at: u64,
    /// The same.
    pub told_at: u64,
    /// The answer.
    pub outcome: Outcome,
}

/// What is promised by an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    /// The request.
    pub id: Uuid,
    /// Its result, if it is done.
    pub result: Option<String>,
    /// Where that is durable.
    pub recorded_in: RecordedIn,
}

impl Told {
    /// What it promises; `None`: nothing.
    #[must_use]
    pub fn promise(&self) -> Option<Promise> {
        match &self.outcome {
            Outcome::Done {
                id,
                result,
                recorded_in,
                ..
            } => Some(Promise {
                id: *id,
                result: Some(result.response.get().to_owned()),
                recorded_in: *recorded_in,
            }),
            Outcome::Deferred {
                id, recorded_in, ..
            } => Some(Promise {
                id: *id,
                result: None,
                recorded_in: *recorded_in,
            }),
            Outcome::Refused(_) | Outcome::Failed { .. } | Outcome::KeyReused { .. } => None,
        }
    }

    /// Whether it is the answer to an earlier call.
    #[must_use]
    pub fn is_replay(&self) -> bool {
        matches!(
            self.outcome,
            Outcome::Done { replayed: true, .. } | Outcome::Deferred { replayed: true, .. }
        )
    }

    /// As HTTP has it.
    #[must_use]
    pub fn status(&self) -> u64 {
        match self.outcome {
            Outcome::Done { .. } => 200,
            Outcome::Deferred { .. } => 202,
            Outcome::Refused(_) => 503,
            Outcome::Failed { .. } => 409,
            Outcome::KeyReused { .. } => 422,
        }
    }
}

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which property, as its file is called.
    pub property: &'static str,
    /// When it showed, in virtual microseconds.
    pub at: u64,
    /// The request it shows in; 0: none.
    pub request: u64,
    /// What is wrong.
    pub what: String,
}

/// All answers so far, in their order. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct History(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    told: Vec<Told>,
    asked: u64,
    violations: Vec<Violation>,
}

impl History {
    /// The number of one more call.
    #[must_use]
    pub fn asks(&self) -> u64 {
        let mut inner = self.lock();
        inner.asked += 1;
        inner.asked
    }

    /// Gives the numbers up that come next, as long as they are `unwelcome`.
    pub fn pass_over(&self, unwelcome: impl Fn(u64) -> bool) {
        let mut inner = self.lock();
        while unwelcome(inner.asked + 1) {
            inner.asked += 1;
        }
    }

    /// How many calls were made.
    #[must_use]
    pub fn asked(&self) -> u64 {
        self.lock().asked
    }

    /// A client was told this.
    pub fn tell(&self, told: Told) {
        self.lock().told.push(told);
    }

    /// A promise was broken.
    pub fn violate(&self, violation: Option<Violation>) {
        self.lock().violations.extend(violation);
    }

    /// The first violation.
    #[must_use]
    pub fn violation(&self) -> Option<Violation> {
        self.lock()
            .violations
            .iter()
            .min_by_key(|it| it.at)
            .cloned()
    }

    /// What clients were told.
    pub fn look<T>(&self, look: impl FnOnce(&[Told]) -> T) -> T {
        look(&self.lock().told)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
