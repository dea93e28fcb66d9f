//! A run on the terminal: the verdict, what does not hold, both sides' figures.

use holdfast_report::{Report, Row, Summary, rows, sentence, tiles, word};

use crate::output::{Console, Tone};

/// Where a wider table would only be harder to read.
const WIDEST: usize = 100;

/// The run in lines; the table is no wider than the console.
pub(crate) fn text(report: &Report<'_>, console: Console) -> Vec<String> {
    let verdict = report.verdict;
    let tone = super::tone(verdict.finding());
    let experiment = report.experiment;
    let mut lines = vec![format!(
        "{}  {}",
        console.paint(tone, word(verdict.finding())),
        console.paint(Tone::Strong, &experiment.title)
    )];
    lines.push(format!("  {}", sentence(verdict)));
    let violated = verdict.checks.iter().filter(|check| !check.holds);
    lines.extend(violated.map(|check| {
        let line = format!("  \u{2717} {}", super::line(check));
        console.paint(tone, line).to_string()
    }));
    let both = [report.naive, report.resilient];
    let (sums, broken) = (both.map(Summary::of), both.map(Summary::during_faults));
    lines.push("\n  While a fault was in force (lost: of all):".to_owned());
    lines.extend(tiles(&broken[0], &broken[1]).map(|tile| first(&tile, console)));
    lines.push("\n  Over the whole run:".to_owned());
    lines.extend(table(&sums, console));
    lines
}

/// Naive, then resilient: what changed.
fn first(tile: &Row, console: Console) -> String {
    let Row {
        name,
        naive,
        resilient,
    } = tile;
    let figures = format!("{naive} \u{2192} {resilient}");
    format!("  {name:<26} {}", console.paint(Tone::Strong, figures))
}

fn table([naive, resilient]: &[Summary; 2], console: Console) -> Vec<String> {
    let header = ["", "naive", "resilient"].map(str::to_owned);
    let rows = rows(naive, resilient).into_iter();
    let rows = rows.map(|row| [row.name.to_owned(), row.naive, row.resilient]);
    super::table(
        [header].into_iter().chain(rows),
        console.width().min(WIDEST),
    )
}

#[cfg(test)]
mod tests {
    use holdfast_ops::Environment;
    use holdfast_report::Facts;

    use super::*;
    use crate::fixtures::{plan, played};
    use crate::settings::StageKind;
    use crate::trial::Completion;
    use crate::verdict::{Verdict, judge};

    fn console(columns: &str) -> Console {
        Console::new(&Environment::from([
            ("COLUMNS", columns),
            ("NO_COLOR", "1"),
        ]))
    }

    /// Of a run that went as predicted; one client of the naive side gave up.
    fn with_report<T>(change: impl FnOnce(&mut Verdict), then: impl FnOnce(&Report<'_>) -> T) -> T {
        let experiment = plan();
        let (mut naive, resilient) = played();
        naive.calls[40].end = Completion::GivenUp;
        let mut verdict = judge(&experiment, &naive, &resilient);
        change(&mut verdict);
        let facts = Facts {
            run: "run".to_owned(),
            started: "2026-03-01T10:00:00Z".parse().unwrap(),
            stage: StageKind::Local,
            seed: 1,
            revision: String::new(),
            machine: String::new(),
            policies: String::new(),
        };
        then(&Report {
            experiment: &experiment,
            naive: &naive,
            resilient: &resilient,
            verdict: &verdict,
            facts: &facts,
            repeats: &[],
        })
    }

    #[test]
    fn the_verdict_comes_first_and_both_sides_stand_beside_each_other() {
        let lines = with_report(|_| (), |report| text(report, console("80")));
        assert!(lines[0].starts_with("PASSED  "), "{lines:?}");
        assert!(lines[1].contains("all 15 checks hold"), "{lines:?}");
        let promised = lines
            .iter()
            .find(|line| line.contains("answered or promised"))
            .unwrap();
        assert!(promised.ends_with("% \u{2192} 100\u{a0}%"), "{promised}");
        let unanswered = lines
            .iter()
            .find(|line| line.contains("no answer"))
            .unwrap();
        assert!(
            unanswered.ends_with(" 0") && unanswered.contains('%'),
            "{unanswered}"
        );
    }

    #[test]
    fn what_does_not_hold_is_told_before_the_figures() {
        let deviate = |verdict: &mut Verdict| verdict.checks[13].holds = false;
        let lines = with_report(deviate, |report| text(report, console("80")));
        assert!(lines[0].starts_with("DEVIATED"), "{lines:?}");
        assert!(lines[1].contains("1 of 15 checks"), "{lines:?}");
        assert!(
            lines[2].contains("resilient: promised_share, over all calls: had to be at least"),
            "{lines:?}"
        );
    }

    #[test]
    fn on_a_narrow_terminal_no_line_of_the_table_is_wider() {
        let lines = with_report(
            |_| (),
            |report| {
                let sums = [report.naive, report.resilient].map(Summary::of);
                table(&sums, console("44"))
            },
        );
        assert!(
            lines.iter().all(|line| line.chars().count() <= 44),
            "{lines:#?}"
        );
    }
}
