//! A target together with what happens to it.

use std::time::Duration;

use holdfast_system::error::SystemError;
use tokio::time::{Instant, sleep_until};

use super::evidence::Outage;
use super::schedule::{Fault, Kind};
use super::worker;
use crate::output::{Console, Tone};
use crate::system::{Part, System};

/// Rows of calls under way, with their keys. Nobody was promised anything of them yet: what a replica has answered, and the
/// primary had confirmed, is outside the promise where a failover loses it.
const LOSE: &str = "WITH lost AS ( \
        DELETE FROM requests WHERE id IN ( \
            SELECT id FROM requests WHERE origin = 'resilient' AND status = 'received' AND lease_until > now() \
                AND received_at > now() - interval '250 ms' \
            FOR UPDATE SKIP LOCKED \
        ) RETURNING id \
    ), keys AS (DELETE FROM idempotency_keys USING lost WHERE request_id = lost.id) \
    SELECT count(*) FROM lost";

/// The APIs', by the names that they have.
const END_SESSIONS: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
    WHERE application_name LIKE 'holdfast%' AND pid <> pg_backend_pid()";

/// A part that is broken and healed.
#[derive(Debug)]
pub(super) struct Player {
    pub(super) part: Part,
    /// Calls of `/work` counted by workers that were killed since.
    calls_before: Option<u64>,
}

/// What was done to a target, and why it did not come back, if it did not.
#[derive(Debug, Default)]
pub(super) struct Played {
    pub(super) outages: Vec<Outage>,
    pub(super) fell: Option<SystemError>,
}

impl Player {
    pub(super) fn new(part: Part) -> Self {
        Self {
            part,
            calls_before: Some(0),
        }
    }

    /// Plays its faults, each at its time. What does not come back is left as it is.
    pub(super) async fn play(
        &mut self,
        faults: Vec<Fault>,
        system: &System,
        epoch: Instant,
        console: Console,
    ) -> Played {
        let mut played = Played::default();
        for fault in faults {
            sleep_until(epoch + fault.at).await;
            let from = epoch.elapsed();
            tell(from, Tone::Warning, format_args!("{fault:#}"), console);
            let result = self.inject(fault, system, epoch + from + fault.lasts).await;
            let to = epoch.elapsed();
            let well = result.is_ok();
            played.outages.push(Outage {
                target: fault.target,
                kind: fault.kind,
                from,
                to: if well { to } else { Duration::MAX },
                rows_lost: result.as_ref().copied().unwrap_or(0),
            });
            if let Err(error) = result {
                tell(
                    to,
                    Tone::Bad,
                    format_args!("{} does not come back: {error}", fault.target),
                    console,
                );
                played.fell = Some(error);
                break;
            }
            tell(
                to,
                Tone::Faint,
                format_args!("{} is back", fault.target),
                console,
            );
        }
        played
    }

    /// Returns how many rows it cost.
    async fn inject(
        &mut self,
        fault: Fault,
        system: &System,
        until: Instant,
    ) -> Result<u64, SystemError> {
        match fault.kind {
            Kind::Kill => {
                self.calls_before = self.calls(system).await;
                system.kill(self.part).await?;
                sleep_until(until).await;
                system.start(self.part).await?;
            }
            Kind::FailOver => {
                let database = system.database()?;
                let lost = database.query(LOSE).await?;
                database.query(END_SESSIONS).await?;
                sleep_until(until).await;
                let count = lost.first().and_then(|row| row.first()?.parse().ok());
                return Ok(count.unwrap_or(0));
            }
            Kind::Pause => {
                system.pause(self.part).await?;
                sleep_until(until).await;
                system.resume(self.part).await?;
            }
        }
        Ok(0)
    }

    /// Calls of `/work` so far: of all workers there were, but for what the killed ones received in their last moment.
    /// None: it is no worker, or one did not tell.
    pub(super) async fn calls(&self, system: &System) -> Option<u64> {
        if self.part != Part::Worker {
            return None;
        }
        let calls = system
            .client(Part::Worker)
            .ok()?
            .metric::<u64>(worker::CALLS);
        Some(self.calls_before? + calls.await?)
    }
}

fn tell(at: Duration, tone: Tone, what: std::fmt::Arguments<'_>, console: Console) {
    let at = at.as_secs_f64();
    console.say(console.paint(tone, format_args!("{at:>6.1} s  {what}")));
}
