//! Which process is meant, for good: its pid together with when it was started.

use serde::{Deserialize, Serialize};

use super::table::{self, State};

/// A process that can be recorded and recognised later, also after a reboot or when its pid has been used again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub(super) pid: i32,
    started: String,
}

impl Identity {
    pub fn of(pid: u32) -> Option<Self> {
        let entry = table::entry(i32::try_from(pid).ok()?)?;
        Some(Self {
            pid: entry.pid,
            started: entry.started,
        })
    }

    pub fn own() -> Option<Self> {
        Self::of(std::process::id())
    }

    /// Whether it still lives; a zombie does not.
    pub fn is_alive(&self) -> bool {
        self.state().is_some_and(|state| state != State::Zombie)
    }

    /// Its state, unless it is gone or the pid belongs to another process by now.
    pub(super) fn state(&self) -> Option<State> {
        table::entry(self.pid)
            .filter(|entry| entry.started == self.started)
            .map(|entry| entry.state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recycled_pid_is_not_taken_for_the_process_that_had_it() {
        let own = Identity::own().unwrap();
        assert!(own.is_alive());
        let earlier = Identity {
            pid: own.pid,
            started: "earlier".to_owned(),
        };
        assert!(!earlier.is_alive());
    }
}
