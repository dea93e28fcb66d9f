//! `lab up` and `lab down`: what is there is kept by the one and deleted by the other, which says what it was.

use holdfast_system::error::SystemError;

use super::journals::Journals;
use crate::database::Database;
use crate::output::{Console, Tone};
use crate::settings::Settings;
use crate::stage::{Condition, Service, Stage};

const COUNT: &str = "SELECT count(*) FILTER (WHERE origin = 'resilient' AND status = 'received'), \
    count(*) FILTER (WHERE origin = 'naive' AND status = 'received'), count(*) FROM requests;";

/// Brings the stage up, from nothing if `fresh`; says where the page is and what to do next.
pub(super) async fn up(
    fresh: bool,
    settings: &Settings,
    console: Console,
) -> Result<(), SystemError> {
    let stage = Stage::to_bring_up(settings, console).await?;
    if fresh {
        take_down(&stage, console).await?;
    }
    stage.up().await?;
    let page = format!("http://127.0.0.1:{}/", stage.api_port().await?);
    console.print(format_args!(
        "\n  the page  {}",
        console.paint(Tone::Strong, page)
    ));
    console.print("  next      make compare; then make kill-worker, and make compare again");
    console.print("            make status shows how all are, make down deletes them");
    Ok(())
}

/// Takes down every stage there may be something of.
pub(super) async fn down(settings: &Settings, console: Console) -> Result<(), SystemError> {
    for stage in Stage::to_take_down(settings, console).await? {
        take_down(&stage, console).await?;
    }
    Ok(())
}

async fn take_down(stage: &Stage, console: Console) -> Result<(), SystemError> {
    let name = stage.name();
    let owed = match stage.holds_data().await {
        Ok(true) => Some(Owed::of(&stage.quietly()).await),
        _ => None,
    };
    let deleted = stage.down().await?;
    console.print(format_args!("  {name:<7} is down"));
    if deleted.is_empty() {
        console.print("          there was nothing to delete");
    }
    for what in deleted {
        console.print(format_args!("          deleted: {what}"));
    }
    for (lost, text) in owed.iter().flat_map(Owed::lines) {
        let tone = if lost { Tone::Warning } else { Tone::Plain };
        console.print(format_args!("          {}", console.paint(tone, text)));
    }
    Ok(())
}

/// What a stage had not done yet, as far as it can be known.
#[derive(Debug, Default)]
struct Owed {
    /// Rows of the resilient endpoint that are not done, such rows of the naive one, all rows.
    rows: Option<[u64; 3]>,
    journal: Option<u64>,
}

impl Owed {
    /// Asks API and Postgres. A dead Postgres is started for it: only there the rows can be counted.
    async fn of(stage: &Stage) -> Self {
        let conditions = stage.conditions().await.unwrap_or_default();
        let condition = |wanted| {
            let mut all = conditions.iter();
            all.find(|(service, _)| *service == wanted)
                .map(|(_, condition)| condition)
        };
        if let Some(Condition::Paused { .. }) = condition(Service::Api) {
            drop(stage.resume(Service::Api).await);
        }
        // Asked first: once Postgres is back, the journal's entries move there.
        let journal = match condition(Service::Api) {
            None | Some(Condition::Dead) => None,
            Some(_) => {
                let journals = Journals::of(stage).await.ok().flatten();
                journals.map(|journals| journals.entries)
            }
        };
        let runs = |it: &&Condition| matches!(it, Condition::Running { .. });
        if condition(Service::Db).filter(|it| !runs(it)).is_some() {
            drop(stage.start(Service::Db).await);
        }
        Self {
            rows: rows(stage).await,
            journal,
        }
    }

    /// Each with whether something was, or may have been, lost.
    fn lines(&self) -> Vec<(bool, String)> {
        let mut lines = Vec::new();
        if let Some([owed, naive, all]) = self.rows {
            let text =
                format!("requests in Postgres: {all}, of which still owed (received): {owed}");
            lines.push((owed > 0, text));
            if naive > 0 {
                let text = format!("requests the naive endpoint never finished: {naive}");
                lines.push((false, text));
            }
        } else {
            let text = "still owed in Postgres: unknown, it did not answer";
            lines.push((true, text.to_owned()));
        }
        lines.push(match self.journal {
            Some(entries) => (
                entries > 0,
                format!("still owed in the API's journal: {entries}"),
            ),
            None => {
                let text = "still owed in the API's journal: unknown, the API did not answer";
                (true, text.to_owned())
            }
        });
        lines
    }
}

async fn rows(stage: &Stage) -> Option<[u64; 3]> {
    let told = Database::of(stage).ok()?.query(COUNT).await.ok()?;
    let numbers: Option<Vec<u64>> = told
        .first()?
        .iter()
        .map(|field| field.trim().parse().ok())
        .collect();
    numbers?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_owed_is_counted_and_what_cannot_be_counted_is_not_called_nothing() {
        let lost = |owed: &Owed| owed.lines().iter().filter(|line| line.0).count();
        let known = |rows, journal| Owed {
            rows: Some(rows),
            journal: Some(journal),
        };
        assert_eq!(lost(&known([0, 4, 9], 0)), 0);
        assert_eq!(lost(&known([2, 0, 9], 3)), 2);
        let text = &known([2, 0, 9], 3).lines()[0].1;
        assert!(
            text.contains('9') && text.contains("owed (received): 2"),
            "{text}"
        );
        assert_eq!(lost(&Owed::default()), 2);
    }
}
