//! What the guard does once the lab is dead.

use std::time::Duration;

use rustix::process::{getpgid, getppid};
use tokio::io::{AsyncReadExt, stdin};

use super::{DONE, Guarded};
use crate::error::SystemError;
use crate::output::Console;
use crate::settings::{Settings, StageKind};
use crate::stage::{Stage, stop_signals};
use crate::wait::Patience;
use crate::{postgres, process, run_dir, system};

const ENDED: Patience = Patience::new(Duration::from_secs(5), Duration::from_millis(10));
/// Programs that a command runs beside its services, and which would go on without it.
const HELPERS: [&str; 5] = ["wrk", "pgbench", "schemathesis", "promtool", "curl"];

/// Waits for the end of the lab that started it, and cleans up after it if need be.
pub async fn stand(
    guarded: Guarded,
    settings: &Settings,
    console: Console,
) -> Result<(), SystemError> {
    // Whoever signals everything they find means the lab; the guard ends after it.
    let mut signals = stop_signals()?;
    let lab = getppid();
    let group = lab.and_then(|lab| getpgid(Some(lab)).ok());
    let mut said = Vec::new();
    let mut pipe = stdin();
    loop {
        tokio::select! {
            read = pipe.read_to_end(&mut said) => {
                read.map_err(SystemError::file("read", "the lab's pipe"))?;
                break;
            }
            _ = signals.next() => {}
        }
    }
    if said == DONE {
        return Ok(());
    }
    // The pipe ends a moment before the lab does, which until then holds its lock and owns its folders.
    let mut wait = ENDED.begin();
    while getppid() == lab && !wait.is_over().await {}
    console.say("the lab ended before it had cleaned up: ending what it left");
    if let Some(group) = group {
        process::kill_orphans_of_group(group.as_raw_nonzero().get(), &HELPERS);
    }
    match guarded {
        Guarded::Processes => {
            run_dir::end_stale(settings, console).await;
            postgres::end_stale().await;
            Ok(())
        }
        Guarded::Nodes => system::end_stale(StageKind::Swarm, settings, console).await,
        Guarded::Containers => system::end_stale(StageKind::Compose, settings, console).await,
        Guarded::Stage => {
            for stage in Stage::to_take_down(settings, console).await? {
                stage.down().await?;
            }
            Ok(())
        }
    }
}
