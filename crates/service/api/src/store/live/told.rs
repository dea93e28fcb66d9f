//! What a client was told of a request, brought back: by the statement that journals are replayed with.

use std::slice;

use holdfast_policy::Deadline;
use holdfast_wire::{Degraded, Reason};

use super::LiveStore;
use crate::journal::Entry;
use crate::store::replay::Replayed;
use crate::store::{LOCK_SHARE, Table};

impl<T: Table> LiveStore<T> {
    /// Records what was `told`; waits no longer for whoever holds the row than any live write.
    ///
    /// # Errors
    /// When Postgres is missing, or refuses it.
    pub(super) async fn replay_told(
        &self,
        told: &Entry,
        deadline: Deadline,
    ) -> Result<(), Degraded> {
        let policy = self.dependency.policy();
        let config = policy.config();
        let deadline = deadline.earlier(Deadline::after(config.deadline));
        let lock_limit = config.attempt_timeout.unwrap_or(config.deadline) / LOCK_SHARE;
        let replay = || self.table.replay(slice::from_ref(told), lock_limit);
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
