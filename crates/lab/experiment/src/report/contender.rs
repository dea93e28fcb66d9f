//! What is shown of somebody else's API on a terminal: the verdict, what failed, what nobody can say.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::output::{Console, Tone};
use crate::plan::{Metric, Window};
use crate::trial::Trial;
use crate::verdict::{Check, Finding, Verdict, figure};
use crate::{measure, verdict};

/// The figures that say most, in words.
const FIGURES: [(Metric, Window, &str); 6] = [
    (
        Metric::PromisedShare,
        Window::Fault,
        "answered or promised, during the fault",
    ),
    (
        Metric::SuccessShare,
        Window::Fault,
        "with the worker's result, likewise",
    ),
    (Metric::P99, Window::Fault, "99 of 100 within, likewise"),
    (Metric::UnansweredShare, Window::All, "no answer, in all"),
    (Metric::Lost, Window::All, "lost"),
    (Metric::TimeToRecover, Window::All, "whole again after"),
];

/// The lines; `trials` is one at least.
pub(crate) fn contender(
    title: &str,
    trials: &[Trial],
    verdict: &Verdict,
    console: Console,
) -> Vec<String> {
    let mut lines = one_sided(title, verdict, verdict.stands(), console);
    if let Some(trial) = trials.first() {
        lines.extend(table(trial, console));
    }
    lines
}

/// The verdict of one side alone: a word, how many checks came to what, and each that does not hold.
pub(crate) fn one_sided(
    title: &str,
    verdict: &Verdict,
    held: bool,
    console: Console,
) -> Vec<String> {
    let counted = |wanted| {
        let checks = verdict.checks.iter();
        checks.filter(|it| it.finding() == wanted).count()
    };
    let (word, tone) = match (held, verdict.stands()) {
        (true, _) => ("HELD", Tone::Good),
        (false, true) => ("UNKNOWN", Tone::Warning),
        (false, false) => ("FAILED", Tone::Bad),
    };
    let [held, failed, unknown] = [Finding::Held, Finding::Failed, Finding::Unknown].map(counted);
    let mut lines = vec![
        format!("{}  {title}", console.paint(tone, word)),
        format!("  {held} checks held, {failed} failed, {unknown} unknown"),
    ];
    let told = verdict.checks.iter();
    let told = told.filter(|it| it.finding() != Finding::Held);
    lines.extend(told.map(|check| format!("  {}", one(check, console))));
    lines
}

fn one(check: &Check, console: Console) -> String {
    let line = super::without_side(check);
    match check.finding() {
        Finding::Unknown => console.paint(Tone::Faint, line).to_string(),
        _ => line,
    }
}

fn table(trial: &Trial, console: Console) -> Vec<String> {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(console.width().min(80)).unwrap_or(u16::MAX));
    for (metric, window, words) in FIGURES {
        let seen = match measure::measure(metric, window, trial) {
            Ok(value) => figure(metric.unit(), value),
            Err(why) => why.to_string(),
        };
        table.add_row([words.to_owned(), seen]);
    }
    if let Some(call) = verdict::first_bad(trial) {
        table.add_row(["the first call that got neither".to_owned(), call]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let lines = table.lines();
    lines.map(|line| format!("  {}", line.trim_end())).collect()
}
