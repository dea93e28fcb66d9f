//! What a client was told of a request, brought back: by the statement that journals are replayed with.

use std::slice;

use holdfast_policy::Deadline;
use holdfast_wire::{Degraded, Reason};

use super::LiveStore;
use crate::journal::Entry;
use crate::store::Table;
use crate::store::replay::Replayed;

impl<T: Table> LiveStore<T> {
    /// Records what was `told`; waits a quarter of the policy's deadline at most for whoever holds the row.
    ///
    /// # Errors
    /// When Postgres is missing, or refuses it.
    pub(super) async fn replay_told(
        &self,
        told: &Entry,
        deadline: Deadline,
    ) -> Result<(), Degraded> {
        let limit = self.dependency.policy().config().deadline;
        let deadline = deadline.earlier(Deadline::after(limit));
        let replay = || self.table.replay(slice::from_ref(told), limit / 4);
        let refusal = match self.call(deadline, replay).await? {
            Replayed::Recorded { conflicts } => {
                (self.conflicts)(&conflicts);
                return Ok(());
            }
            Replayed::Refused(refusal) => refusal,
        };
        tracing::error!(request_id = %told.id, error = refusal.error, "Postgres refuses what was told");
        Err(Degraded {
            reason: Reason::BadStatus,
            detail: refusal.error,
            attempts: 1,
            ..self.dependency.unavailability()
        })
    }
}
