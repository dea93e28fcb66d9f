//! `lab check`.

use super::arguments::Check;
use super::load::ACCEPTED;
use crate::accepted;
use crate::check::{self, Database, Ledger};
use crate::error::LabError;
use crate::output::{Console, Tone};
use crate::settings::Settings;
use crate::stage::{Probe, Stage};

/// Holds the file against the table of the stage that is up; whether every promise was kept.
pub(super) async fn run(
    wanted: Check,
    settings: &Settings,
    console: Console,
) -> Result<bool, LabError> {
    let file = wanted
        .file
        .unwrap_or_else(|| settings.folder().join(ACCEPTED));
    let accepted = accepted::read(&file)?;
    let stage = Stage::to_act_on(settings, console).await?;
    let database = Database::of(&stage)?;
    let ledger = check::check(&accepted, &database, wanted.wait, console).await?;
    ledger.print(console);
    let holds = ledger.holds(wanted.allow_failed);
    let (tone, verdict) = if holds {
        (Tone::Good, "every promise was kept")
    } else if ledger.is_finished() {
        (Tone::Bad, "not every promise was kept")
    } else {
        (Tone::Bad, "not every promise has been kept")
    };
    console.print(console.paint(tone, verdict));
    if !ledger.is_finished() {
        hint(&ledger, &stage, console).await?;
    }
    Ok(holds)
}

/// Where what is not in Postgres may still be, and what to do.
async fn hint(ledger: &Ledger, stage: &Stage, console: Console) -> Result<(), LabError> {
    let probe = Probe::new(stage.api_port().await?);
    let wait = "lab check --wait 120s";
    let hint = match probe.status().await.map(|status| status.journal) {
        Err(_) => format!(
            "the API does not answer; its journal may hold what is missing: make start-api, then {wait}"
        ),
        Ok(Some(journal)) if journal.entries > 0 => format!(
            "the API's journal holds {} entries: heal the database (make start-db, make resume-db), then {wait}",
            journal.entries
        ),
        Ok(_) if ledger.missing.is_empty() => {
            format!(
                "open work is done once worker and database are healthy: make status, then {wait}"
            )
        }
        Ok(_) => "what is missing is in no journal either: it is lost".to_owned(),
    };
    console.say(format_args!("  {hint}"));
    Ok(())
}
