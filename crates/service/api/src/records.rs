//! What became of accepted work, as readers see it: Postgres and this replica's journal as one.
//!
//! The journal knows more than Postgres where it has a request's end. A request that is in both is shown once, with its
//! end if there is one; until recovery has brought it over, `total` may count it twice.

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_policy::Deadline;
use holdfast_wire::{
    Degraded, DegradedCode, Reason, Request, RequestList, RequestOrder, RequestStatus,
};
use uuid::Uuid;

use crate::journal::{Entry, Journal, Page};
use crate::limit::Turns;
use crate::store::Filter;
use crate::store::ReadStore;

/// Requests that one read in the journal is about, so that it keeps no write waiting.
const IDS: usize = 256;

/// Postgres and the journal, to be read.
pub(crate) struct Records {
    pub(crate) reads: ReadStore,
    pub(crate) journal: Option<Journal>,
    /// Few lists are made at once: each may copy many bodies out of the journal, which has others to serve.
    pub(crate) listings: Turns,
    /// Time for one read in the journal.
    pub(crate) journal_deadline: Duration,
}

impl Records {
    /// The request `id`; `None` only if neither has it.
    ///
    /// # Errors
    /// When that cannot be told.
    pub(crate) async fn find(&self, id: Uuid) -> Result<Option<Request>, Degraded> {
        let journalled = match &self.journal {
            Some(journal) => journal
                .find(id, self.soon())
                .await
                .map(|it| it.map(request)),
            None => Ok(None),
        };
        if let Ok(Some(request)) = &journalled
            && request.status == RequestStatus::Done
        {
            return Ok(Some(request.clone()));
        }
        match (self.reads.find(id).await, journalled) {
            (Ok(Some(request)), _) | (_, Ok(Some(request))) => Ok(Some(request)),
            (Ok(None), Ok(None)) => Ok(None),
            (Ok(None), Err(error)) => Err(self.reads.without_journal(&error)),
            (Err(missing), _) => Err(missing),
        }
    }

    /// The first requests that match, and how many match in all.
    ///
    /// # Errors
    /// When Postgres or the journal cannot be read.
    pub(crate) async fn list(&self, filter: Filter) -> Result<RequestList, Degraded> {
        if !self.reads.may_call() {
            return Err(self.reads.unavailability());
        }
        let Some(_turn) = self.listings.take().await else {
            return Err(too_many());
        };
        // The journal first: what recovery brings over meanwhile is then seen twice rather than not at all.
        let page = self.page(filter).await?;
        let list = self.reads.list(filter).await?;
        let total = list.total + page.total;
        let listed = list.requests.into_iter().map(|it| (it.request_id, it));
        let mut merged: BTreeMap<Uuid, Request> = listed.collect();
        for request in page.entries.into_iter().map(request) {
            if request.status == RequestStatus::Done {
                merged.insert(request.request_id, request);
            } else {
                merged.entry(request.request_id).or_insert(request);
            }
        }
        let (requests, limit) = (merged.into_values(), filter.limit as usize);
        let requests = match filter.order {
            RequestOrder::Newest => requests.rev().take(limit).collect(),
            RequestOrder::Oldest => requests.take(limit).collect(),
        };
        Ok(RequestList { total, requests })
    }

    async fn page(&self, filter: Filter) -> Result<Page, Degraded> {
        let ended = match filter.status {
            None => None,
            Some(RequestStatus::Received) => Some(false),
            Some(RequestStatus::Done) => Some(true),
            // What failed or was cancelled is in Postgres only.
            Some(RequestStatus::Failed | RequestStatus::Cancelled) => return Ok(Page::default()),
        };
        let Some(journal) = &self.journal else {
            return Ok(Page::default());
        };
        let page = journal
            .page(ended, filter.order, filter.limit as usize, self.soon())
            .await;
        page.map_err(|error| self.reads.without_journal(&error))
    }

    fn soon(&self) -> Deadline {
        Deadline::after(self.journal_deadline)
    }
}

/// Those of the requests `ids` whose end this replica's `journal` has: Postgres may be without it for long. What cannot be read now is
/// looked for again.
pub(crate) async fn ended_in_journal(
    journal: &Journal,
    ids: Vec<Uuid>,
    deadline: Duration,
) -> Vec<Request> {
    let mut ended = vec![];
    for some in ids.chunks(IDS) {
        let found = journal.find_all(some.to_vec(), Deadline::after(deadline));
        let Ok(entries) = found.await else { break };
        let entries = entries.into_iter().filter(|it| it.end.is_some());
        ended.extend(entries.map(request));
    }
    ended
}

fn too_many() -> Degraded {
    Degraded {
        code: DegradedCode::Overloaded,
        reason: Reason::BulkheadFull,
        detail: "as many lists wait for their turn as the service takes on".to_owned(),
        attempts: 0,
        elapsed_seconds: 0.0,
        retry_after_seconds: 1.0,
    }
}

fn request(entry: Entry) -> Request {
    let end = entry.end;
    Request {
        request_id: entry.id,
        status: match end {
            Some(_) => RequestStatus::Done,
            None => RequestStatus::Received,
        },
        attempts: end.as_ref().map_or(0, |end| end.attempts),
        error: None,
        received_at: entry.received_at,
        completed_at: end.as_ref().map(|end| end.completed_at),
        worker_response: end.map(|end| end.response),
    }
}
