//! The link's faults: the service is well, what stands between it and the API is not.

use std::time::Duration;

use super::{PATIENCE, observation};
use crate::error::SystemError;
use crate::plan::{self, Kind, Target};
use crate::probe::Probe;
use crate::proxy::Fault;
use crate::system::System;
use crate::trial::Observation;

/// Of a fault that hurts one request in twenty, all but one in a thousand series of this length show it.
const LOOKS: usize = 140;

/// What the link has to do; none: it has no part in this fault.
pub(super) fn fault(kind: Kind) -> Option<Fault> {
    Some(match kind {
        Kind::Refuse => Fault::Refuse,
        Kind::Blackhole => Fault::Blackhole,
        Kind::Latency {
            delay,
            jitter,
            share,
        } => Fault::Latency {
            delay,
            jitter,
            share,
        },
        Kind::Reset { after_bytes, share } => Fault::Reset {
            after: after_bytes,
            share,
        },
        Kind::Garbage { share } => Fault::Garbage { share },
        Kind::Status { code, share } => Fault::Status { code, share },
        _ => return None,
    })
}

pub(super) async fn probe(fault: &plan::Fault, system: &System) -> Observation {
    for _ in 0..LOOKS {
        let look = system.probe(fault.target, patience(fault.kind)).await;
        if shows(fault.kind, &look) {
            return observation(true, look);
        }
        // Whoever could not look looks again.
        if !look.is_well() && look != Probe::Unseen {
            return observation(false, look);
        }
    }
    observation(
        false,
        format_args!("none of {LOOKS} looks in a row showed it"),
    )
}

/// Has the link do this from now on; none: nothing.
pub(super) async fn set(
    target: Target,
    fault: Option<Fault>,
    system: &System,
) -> Result<(), SystemError> {
    match system.link(target) {
        Some(link) => Ok(link.set(fault.unwrap_or_default()).await?),
        None => Err(SystemError::NoLink(target)),
    }
}

/// Whether this is how the fault looks.
fn shows(kind: Kind, look: &Probe) -> bool {
    match (kind, look) {
        (Kind::Refuse, Probe::Refused)
        | (Kind::Blackhole, Probe::NoConnection)
        | (Kind::Reset { .. } | Kind::Garbage { .. }, Probe::Broken)
        // It was waited for longer than anything healthy takes.
        | (Kind::Latency { .. }, Probe::Silent) => true,
        (Kind::Status { code, .. }, Probe::Error { code: seen }) => *seen == code.to_string(),
        (Kind::Latency { delay, jitter, .. }, Probe::Well { after }) => *after >= delay - jitter,
        _ => false,
    }
}

/// A short delay shows in how late the answer is, and never in less patience than all else gets: a healthy service may take
/// as long now and then. To Postgres a look is several exchanges, each of them late.
fn patience(kind: Kind) -> Duration {
    match kind {
        Kind::Latency { delay, jitter, .. } if delay - jitter < PATIENCE => {
            delay + jitter + PATIENCE
        }
        _ => PATIENCE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latency(delay: u64, jitter: u64) -> Kind {
        Kind::Latency {
            delay: Duration::from_millis(delay),
            jitter: Duration::from_millis(jitter),
            share: 1.0,
        }
    }

    fn well(after: u64) -> Probe {
        Probe::Well {
            after: Duration::from_millis(after),
        }
    }

    #[test]
    fn a_short_delay_shows_in_an_answer_that_is_late() {
        let kind = latency(200, 20);
        assert!(shows(kind, &well(180)) && !shows(kind, &well(179)));
        assert_eq!(patience(kind), Duration::from_millis(620));
    }

    #[test]
    fn a_long_delay_shows_in_the_silence_of_what_else_answers_at_once() {
        let kind = latency(2_000, 100);
        assert!(shows(kind, &Probe::Silent) && !shows(kind, &well(3)));
        assert_eq!(patience(kind), PATIENCE);
    }
}
