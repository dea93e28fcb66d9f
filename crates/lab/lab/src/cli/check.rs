//! `lab check`.

use std::time::Duration;

use holdfast_system::error::SystemError;
use holdfast_wire::Journal;

use super::arguments::Check;
use crate::accepted;
use crate::database::Database;
use crate::durability::{self, Ledger};
use crate::output::{Console, Tone};
use crate::settings::Settings;
use crate::stage::{AdminClient, Stage};

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
    let mut ledger = durability::check(&accepted, &database, wanted.wait, console).await?;
    let mut hint = None;
    if !ledger.is_finished() {
        let journal = journal(&stage).await?;
        // What left the journal since the first look is in the table by now: only then is it nowhere.
        ledger = durability::check(&accepted, &database, Duration::ZERO, console).await?;
        hint = self::hint(&ledger, &journal);
    }
    durability::tell(&ledger, console);
    let holds = ledger.holds(wanted.allow_failed);
    let (tone, verdict) = if holds {
        (Tone::Good, "every promise was kept")
    } else if ledger.is_finished() {
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

/// What the API says of its journal.
enum Told {
    Nothing,
    NoJournal,
    Journal(Journal),
}

async fn journal(stage: &Stage) -> Result<Told, SystemError> {
    let probe = AdminClient::new(stage.api_port().await?);
    Ok(match probe.status().await.map(|status| status.journal) {
        Err(_) => Told::Nothing,
        Ok(None) => Told::NoJournal,
        Ok(Some(journal)) => Told::Journal(journal),
    })
}

/// Where what is not in Postgres may still be, and what to do; none: there is nothing to say. Postgres has just answered.
fn hint(ledger: &Ledger, journal: &Told) -> Option<String> {
    const WAIT: &str = "lab check --wait 120s";
    if ledger.is_finished() {
        return None;
    }
    Some(match journal {
        Told::Nothing => format!(
            "the API does not answer; its journal may hold what is missing: make start-api, then {WAIT}"
        ),
        Told::Journal(journal) if !journal.available => format!(
            "the API's journal cannot write, and last held {} entries: see to its disk (make logs SERVICE=api), then {WAIT}",
            journal.entries
        ),
        Told::Journal(journal) if journal.entries > 0 => format!(
            "the API's journal holds {} entries, and Postgres answers: wait until they are there: {WAIT}",
            journal.entries
        ),
        _ if ledger.missing.is_empty() => format!(
            "open work is done once worker and database are healthy: make status, then {WAIT}"
        ),
        _ => "what is missing is in no journal either: it is lost".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn journal(available: bool, entries: u64) -> Told {
        Told::Journal(Journal {
            available,
            entries,
            bytes: 0,
            oldest_seconds: None,
            quarantined: 0,
        })
    }

    #[test]
    fn only_what_is_missing_and_in_no_journal_is_lost() {
        let missing = Ledger {
            missing: vec![Uuid::nil()],
            ..Ledger::default()
        };
        let told = |journal| hint(&missing, &journal).unwrap();
        assert!(told(journal(true, 0)).contains("lost") && told(Told::NoJournal).contains("lost"));
        assert!(told(journal(true, 3)).contains("wait") && told(journal(true, 3)).contains("3"));
        assert!(told(journal(false, 0)).contains("cannot write"));
        assert!(told(Told::Nothing).contains("start-api"));
    }

    #[test]
    fn open_work_is_waited_for_and_what_is_finished_needs_no_hint() {
        let open = Ledger {
            open: vec![Uuid::nil()],
            ..Ledger::default()
        };
        assert!(
            hint(&open, &journal(true, 0))
                .unwrap()
                .contains("open work")
        );
        assert_eq!(hint(&Ledger::default(), &journal(true, 0)), None);
    }
}
