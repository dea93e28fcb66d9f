//! What holds for all attempts of a call.

use tokio::time::Instant;

use crate::capacity::Reserved;
use crate::class::Class;
use crate::config::PolicyConfig;
use crate::deadline::Deadline;
use crate::priority::Priority;
use crate::retry::Tried;

#[derive(Debug)]
pub(super) struct Terms {
    pub(super) started: Instant,
    /// The caller's, if it has one.
    pub(super) deadline: Option<Deadline>,
    /// Whether repeating the request is harmless.
    pub(super) idempotent: bool,
    pub(super) priority: Priority,
    /// A slot that was taken ahead.
    pub(super) slot: Option<Reserved>,
}

impl Terms {
    /// The earlier of the caller's and the policy's: asked only by what has to wait.
    pub(super) fn deadline(&self, config: &PolicyConfig) -> Deadline {
        let own = Deadline::at(self.started).plus(config.deadline);
        self.deadline.map_or(own, |callers| callers.earlier(own))
    }

    /// After so many rounds, in which `reached` attempts reached the dependency, the last of them of this `class`.
    pub(super) fn tried(
        &self,
        config: &PolicyConfig,
        class: Class,
        round: u32,
        reached: u32,
    ) -> Tried {
        Tried {
            class,
            round,
            number: reached + 1,
            idempotent: self.idempotent,
            deadline: self.deadline(config),
            needed: config.needed(),
        }
    }
}
