//! What is owed, in an operator's hands: asked for again, given up, all that failed asked for again at a pace.
//!
//! A request may be in Postgres, in this replica's journal, or in both, so both are asked, the journal first: an end that it
//! holds was promised to a client, and what a live call pins there ends within the bound.

use std::sync::Arc;
use std::time::Duration;

use holdfast_ops::Readiness;
use holdfast_policy::Deadline;
use holdfast_wire::{Degraded, RecordedIn};
use tokio::time::sleep;
use uuid::Uuid;

use crate::config::Policies;
use crate::current::Current;
use crate::journal::{Entry, Journal, JournalError};
use crate::open_work::OpenWork;
use crate::store::{Change, Moved, OperatorStore};

/// Between two steps of an order, and between two polls for one.
const STEP: Duration = Duration::from_millis(100);
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// An operator's hands.
#[derive(Clone)]
pub(crate) struct Operator {
    store: OperatorStore,
    journal: Option<Journal>,
    /// Time for one read in the journal.
    journal_deadline: Duration,
    open_work: OpenWork,
    /// They say at which pace failed requests are owed again.
    policies: Arc<Current<Policies>>,
}

/// Why an operator's wish is not granted.
#[derive(Debug)]
pub(crate) enum Unchanged {
    /// The request is not as it must be; why.
    Refused(String),
    /// Nobody knows it.
    Absent,
    /// It cannot be told.
    Unknown(Degraded),
}

type Changed = Result<holdfast_wire::Request, Unchanged>;

impl Operator {
    /// Over the table and, if there is one, the journal.
    pub(crate) fn new(
        store: OperatorStore,
        journal: Option<Journal>,
        policies: Arc<Current<Policies>>,
        open_work: &OpenWork,
    ) -> Self {
        Self {
            store,
            journal,
            journal_deadline: policies.get().journal.deadline,
            open_work: open_work.clone(),
            policies,
        }
    }

    /// The failed or cancelled request `id` is owed again.
    ///
    /// # Errors
    /// See [`Unchanged`].
    pub(crate) async fn retry(&self, id: Uuid) -> Changed {
        let journalled = self.in_journal(id).await;
        if let Ok(Some(entry)) = &journalled {
            let how = if entry.end.is_some() {
                "done"
            } else {
                "received"
            };
            return Err(Unchanged::Refused(format!("the request is {how}")));
        }
        let change = self.store.retry(id).await;
        let request = self.settle(change, journalled)?;
        self.open_work.deferred(RecordedIn::Database);
        tracing::warn!(request_id = %id, "owed again: an operator asked for it");
        Ok(request)
    }

    /// The open request `id` is given up.
    ///
    /// # Errors
    /// See [`Unchanged`].
    pub(crate) async fn cancel(&self, id: Uuid) -> Changed {
        let journalled = self.in_journal(id).await;
        let change = match &journalled {
            Ok(Some(entry)) if entry.end.is_some() => {
                return Err(Unchanged::Refused("the request is done".to_owned()));
            }
            // It may promise its client a result that Postgres does not know of.
            Ok(Some(entry)) if self.is_pinned(entry) => {
                return Err(Unchanged::Refused(
                    "a call is at work on the request and ends within the bound".to_owned(),
                ));
            }
            Ok(Some(entry)) => self.store.cancel_entry(entry).await,
            _ => self.store.cancel(id).await,
        };
        let request = self.settle(change, journalled)?;
        tracing::warn!(request_id = %id, "cancelled: an operator gave it up");
        Ok(request)
    }

    /// All that has failed by now is owed again, step by step; returns how many requests that are.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub(crate) async fn retry_all(&self) -> Result<u64, Degraded> {
        let count = self.store.order_requeue().await?;
        tracing::warn!(
            count,
            "owed again step by step: an operator asked for all that failed"
        );
        Ok(count)
    }

    /// Carries out orders for ever, whoever took them: none while the worker would refuse, or with as much open work as the
    /// service takes on.
    pub(crate) async fn keep_requeueing(
        self,
        readiness: Readiness,
        worker_may_call: impl Fn() -> bool,
    ) {
        let mut pause = POLL_INTERVAL;
        loop {
            sleep(pause).await;
            pause = POLL_INTERVAL;
            let may = readiness.is_ready() && self.store.may_call() && worker_may_call();
            if !may || self.open_work.is_full() {
                continue;
            }
            match self.store.requeue(self.per_second()).await {
                Ok(Some(moved)) => {
                    self.moved(moved).await;
                    pause = STEP;
                }
                Ok(None) => {}
                Err(missing) => {
                    let reason = missing.reason.as_str();
                    tracing::warn!(reason, "what failed could not be owed again: later");
                }
            }
        }
    }

    /// How many failed requests are owed again per second.
    pub(crate) fn per_second(&self) -> f64 {
        self.policies.get().recovery.requeue_per_second
    }

    async fn moved(&self, moved: Moved) {
        for _ in 0..moved.count {
            self.open_work.deferred(RecordedIn::Database);
        }
        if moved.count == 0 {
            // If this fails, the next step comes to nothing again.
            let _ = self.store.end_requeue(moved.ordered_at).await;
        }
    }

    async fn in_journal(&self, id: Uuid) -> Result<Option<Entry>, JournalError> {
        match &self.journal {
            Some(journal) => journal.find(id, self.soon()).await,
            None => Ok(None),
        }
    }

    fn is_pinned(&self, entry: &Entry) -> bool {
        let journal = self.journal.as_ref();
        journal.is_some_and(|journal| journal.is_pinned(entry.id))
    }

    fn settle(
        &self,
        change: Result<Change, Degraded>,
        journalled: Result<Option<Entry>, JournalError>,
    ) -> Changed {
        match (change.map_err(Unchanged::Unknown)?, journalled) {
            (Change::Made(request), _) => Ok(request),
            (Change::Refused(request), _) => {
                let how = request.status.as_str();
                Err(Unchanged::Refused(format!("the request is {how}")))
            }
            (Change::Absent, Ok(_)) => Err(Unchanged::Absent),
            (Change::Absent, Err(error)) => Err(Unchanged::Unknown(self.store.unread(&error))),
        }
    }

    fn soon(&self) -> Deadline {
        Deadline::after(self.journal_deadline)
    }
}
