//! What clients were told, for the checks.

use std::cell::RefCell;
use std::rc::Rc;

use holdfast_api::embedded::Outcome;
use holdfast_wire::RecordedIn;
use uuid::Uuid;

use crate::api::status;
use crate::world::number;

/// One call of a client and what it was told.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    /// The id that the replica gave the call.
    pub(crate) request: Uuid,
    pub(crate) key: Option<u8>,
    /// Whether Postgres refuses its body.
    pub(crate) poison: bool,
    /// Which replica, and in which of its lives.
    pub(crate) replica: (u8, u32),
    /// Virtual microseconds.
    pub(crate) asked_at: u64,
    pub(crate) told_at: u64,
    pub(crate) outcome: Outcome,
}

/// What is promised by an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Promise {
    pub(crate) id: Uuid,
    /// Its result, if it is done.
    pub(crate) result: Option<String>,
    /// Where that is durable.
    pub(crate) recorded_in: RecordedIn,
}

impl Told {
    /// What it promises; `None`: nothing.
    pub(crate) fn promise(&self) -> Option<Promise> {
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
    pub(crate) fn is_replay(&self) -> bool {
        matches!(
            self.outcome,
            Outcome::Done { replayed: true, .. } | Outcome::Deferred { replayed: true, .. }
        )
    }

    /// As HTTP has it.
    pub(crate) fn status(&self) -> u64 {
        status(&self.outcome).into()
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

impl Violation {
    /// That it showed in what a client was told.
    pub(crate) fn told(property: &'static str, told: &Told, request: Uuid, what: String) -> Self {
        Self {
            property,
            at: told.told_at,
            request: number(request),
            what,
        }
    }
}

/// All answers so far, in their order. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct History(Rc<RefCell<Inner>>);

#[derive(Default)]
struct Inner {
    told: Vec<Told>,
    asked: u64,
    violations: Vec<Violation>,
}

impl History {
    /// The number of one more call.
    pub(crate) fn asks(&self) -> u64 {
        let mut inner = self.0.borrow_mut();
        inner.asked += 1;
        inner.asked
    }

    /// Gives the numbers up that come next, as long as they are `unwelcome`.
    pub(crate) fn pass_over(&self, unwelcome: impl Fn(u64) -> bool) {
        let mut inner = self.0.borrow_mut();
        while unwelcome(inner.asked + 1) {
            inner.asked += 1;
        }
    }

    pub(crate) fn asked(&self) -> u64 {
        self.0.borrow().asked
    }

    pub(crate) fn tell(&self, told: Told) {
        self.0.borrow_mut().told.push(told);
    }

    /// A promise was broken.
    pub(crate) fn violate(&self, violation: Option<Violation>) {
        self.0.borrow_mut().violations.extend(violation);
    }

    pub(crate) fn violation(&self) -> Option<Violation> {
        let inner = self.0.borrow();
        inner.violations.iter().min_by_key(|it| it.at).cloned()
    }

    pub(crate) fn look<T>(&self, look: impl FnOnce(&[Told]) -> T) -> T {
        look(&self.0.borrow().told)
    }
}
