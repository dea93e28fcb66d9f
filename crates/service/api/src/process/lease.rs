//! A live call's hold on its request in Postgres.

use uuid::Uuid;

use super::location::RecordLocation;
use super::ports::Requests;

/// Gives the request to recovery at once if the call is dropped: its client left, and nobody else knows before the lease
/// ends.
pub(super) struct LiveLease<'a, R: Requests> {
    requests: &'a R,
    /// `None`: there is nothing to give back.
    id: Option<Uuid>,
}

impl<'a, R: Requests> LiveLease<'a, R> {
    /// The hold on the request `id`, which is recorded at `location`.
    pub(super) fn new(requests: &'a R, id: Uuid, location: &RecordLocation) -> Self {
        let leased = matches!(location, RecordLocation::Database);
        Self {
            requests,
            id: leased.then_some(id),
        }
    }

    /// The call came to its end.
    pub(super) fn ended(mut self) {
        self.id = None;
    }
}

impl<R: Requests> Drop for LiveLease<'_, R> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.requests.abandon(id);
        }
    }
}
