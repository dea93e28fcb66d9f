//! A target together with what happens to it.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::evidence::Hurt;
use super::schedule::{Fault, Kind, Target};
use super::worker;
use crate::error::LabError;
use crate::output::{Console, Tone};
use crate::postgres::Cluster;
use crate::stage::ServiceProcess;

/// Something that can be hurt and healed.
#[derive(Debug)]
pub(super) struct Victim {
    pub(super) target: Target,
    pub(super) body: Body,
    /// Calls of `/work` counted by workers that were killed since.
    calls_before: Option<u64>,
}

#[derive(Debug)]
pub(super) enum Body {
    Db(Cluster),
    Service(ServiceProcess),
}

/// What was done to a target, and why it did not come back, if it did not.
#[derive(Debug, Default)]
pub(super) struct Played {
    pub(super) hurts: Vec<Hurt>,
    pub(super) fell: Option<LabError>,
}

impl Victim {
    pub(super) fn new(target: Target, body: Body) -> Self {
        Self {
            target,
            body,
            calls_before: Some(0),
        }
    }

    /// Plays its faults, each at its time. What does not come back is left as it is.
    pub(super) async fn play(
        &mut self,
        faults: Vec<Fault>,
        epoch: Instant,
        console: Console,
    ) -> Played {
        let mut played = Played::default();
        for fault in faults {
            sleep_until(epoch + fault.at).await;
            let from = epoch.elapsed();
            tell(from, Tone::Warning, format_args!("{fault:#}"), console);
            let result = self.suffer(fault, from, epoch).await;
            let to = epoch.elapsed();
            let well = result.is_ok();
            played.hurts.push(Hurt {
                target: fault.target,
                kind: fault.kind,
                from,
                to: if well { to } else { Duration::MAX },
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

    async fn suffer(
        &mut self,
        fault: Fault,
        from: Duration,
        epoch: Instant,
    ) -> Result<(), LabError> {
        self.calls_before = match fault.kind {
            Kind::Kill => self.calls().await,
            Kind::Pause => self.calls_before,
        };
        match (fault.kind, &self.body) {
            (Kind::Kill, Body::Db(cluster)) => cluster.kill().await?,
            (Kind::Kill, Body::Service(process)) => process.kill().await?,
            (Kind::Pause, Body::Db(cluster)) => cluster.pause().await?,
            (Kind::Pause, Body::Service(process)) => process.pause().await?,
        }
        sleep_until(epoch + from + fault.lasts).await;
        match fault.kind {
            Kind::Pause => self.resume(),
            Kind::Kill => self.start().await?,
        }
        Ok(())
    }

    /// Lets it go on, if it stands still.
    pub(super) fn resume(&self) {
        match &self.body {
            Body::Db(cluster) => cluster.resume(),
            Body::Service(process) => process.resume(),
        }
    }

    /// Starts it, if it does not run, and waits until it is ready.
    pub(super) async fn start(&mut self) -> Result<(), LabError> {
        match &mut self.body {
            Body::Db(cluster) => Ok(cluster.start_again().await?),
            Body::Service(process) => process.start().await,
        }
    }

    /// Calls of `/work` so far: of all workers there were, but for what the killed ones received in their last moment.
    /// None: it is no worker, or one did not tell.
    pub(super) async fn calls(&self) -> Option<u64> {
        match (&self.body, self.target) {
            (Body::Service(process), Target::Worker) => {
                let calls = process.probe().metric::<u64>(worker::CALLS);
                Some(self.calls_before? + calls.await?)
            }
            _ => None,
        }
    }
}

fn tell(at: Duration, tone: Tone, what: std::fmt::Arguments<'_>, console: Console) {
    let at = at.as_secs_f64();
    console.say(console.paint(tone, format_args!("{at:>6.1} s  {what}")));
}
