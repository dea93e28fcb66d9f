//! `lab check`.

use std::time::Duration;

use holdfast_system::error::SystemError;

use super::arguments::Check;
use super::journals::Journals;
use crate::accepted;
use crate::database::Database;
use crate::durability::{self, DurabilityReport};
use crate::output::{Console, Tone};
use crate::settings::Settings;
use crate::stage::Stage;

/// Holds the file against the table of the stage that is up; whether every promise was kept.
pub(super) async fn run(
    wanted: Check,
    settings: &Settings,
    console: Console,
) -> Result<bool, SystemError> {
    let stage = Stage::to_act_on(settings, console).await?;
    let file = wanted
        .file
        .unwrap_or_else(|| stage.folder().join(accepted::FILE));
    let accepted = accepted::read(&file)?;
    let database = Database::of(&stage)?;
    let mut report = durability::check(&accepted, &database, wanted.wait, console).await?;
    let mut hint = None;
    if !report.is_finished() {
        let journals = Journals::of(&stage).await?;
        // What left the journal since the first look is in the table by now: only then is it nowhere.
        report = durability::check(&accepted, &database, Duration::ZERO, console).await?;
        hint = self::hint(&report, journals);
    }
    durability::tell(&report, console);
    let holds = report.holds(wanted.allow_failed);
    let (tone, verdict) = if holds {
        (Tone::Good, "every promise was kept")
    } else if report.is_finished() {
        (Tone::Bad, "not every promise was kept")
    } else {
        (Tone::Bad, "not every promise has been kept")
    };
    console.print(console.paint(tone, verdict));
    if let Some(hint) = hint {
        console.say(format_args!("  {hint}"));
    }
    Ok(holds)
}

/// Where what is not in Postgres may still be, and what to do; none: there is nothing to say. Postgres has just answered.
fn hint(report: &DurabilityReport, journals: Option<Journals>) -> Option<String> {
    const WAIT: &str = "lab check --wait 120s";
    if report.is_finished() {
        return None;
    }
    Some(match journals {
        None => format!(
            "the API does not answer; its journal may hold what is missing: make start-api, then {WAIT}"
        ),
        Some(Journals {
            available: false,
            entries,
        }) => format!(
            "the API's journal cannot write, and last held {entries} entries: see to its disk (make logs SERVICE=api), then {WAIT}"
        ),
        Some(Journals { entries, .. }) if entries > 0 => format!(
            "the API's journal holds {entries} entries, and Postgres answers: wait until they are there: {WAIT}"
        ),
        _ if report.missing.is_empty() => format!(
            "open work is done once worker and database are healthy: make status, then {WAIT}"
        ),
        _ => "what is missing is in no journal either: it is lost".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn journal(available: bool, entries: u64) -> Option<Journals> {
        Some(Journals { available, entries })
    }

    #[test]
    fn only_what_is_missing_and_in_no_journal_is_lost() {
        let missing = DurabilityReport {
            missing: vec![Uuid::nil()],
            ..DurabilityReport::default()
        };
        let told = |journals| hint(&missing, journals).unwrap();
        assert!(told(journal(true, 0)).contains("lost"));
        assert!(told(journal(true, 3)).contains("wait") && told(journal(true, 3)).contains("3"));
        assert!(told(journal(false, 0)).contains("cannot write"));
        assert!(told(None).contains("start-api"));
    }

    #[test]
    fn open_work_is_waited_for_and_what_is_finished_needs_no_hint() {
        let open = DurabilityReport {
            open: vec![Uuid::nil()],
            ..DurabilityReport::default()
        };
        assert!(hint(&open, journal(true, 0)).unwrap().contains("open work"));
        assert_eq!(hint(&DurabilityReport::default(), journal(true, 0)), None);
    }
}
