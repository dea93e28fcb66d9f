//! What is shown of somebody else's API on a terminal: the verdict, what failed, what nobody can say.

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
    // It need not tell enough for all of it.
    let finding = match verdict.stands() {
        true => Finding::Held,
        false => Finding::Failed,
    };
    let mut lines = one_sided(title, verdict, finding, console);
    if let Some(trial) = trials.first() {
        lines.extend(table(trial, console));
    }
    lines
}

/// The verdict of one side alone: a word, how many checks came to what, and each that does not hold.
pub(crate) fn one_sided(
    title: &str,
    verdict: &Verdict,
    finding: Finding,
    console: Console,
) -> Vec<String> {
    let word = match finding {
        Finding::Held => "HELD",
        Finding::Unknown => "UNKNOWN",
        Finding::Failed => "FAILED",
    };
    let counted = [Finding::Held, Finding::Failed, Finding::Unknown];
    let [held, failed, unknown] = counted.map(|finding| verdict.count(finding));
    let mut lines = vec![
        format!("{}  {title}", console.paint(super::tone(finding), word)),
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
    let figure = |(metric, window, words): (Metric, Window, &str)| {
        let seen = match measure::measure(metric, window, trial) {
            Ok(value) => figure(metric.unit(), value),
            Err(why) => why.to_string(),
        };
        [words.to_owned(), seen]
    };
    let first = verdict::first_bad(trial);
    let first = first.map(|call| ["the first call that got neither".to_owned(), call]);
    let rows = FIGURES.into_iter().map(figure).chain(first);
    super::table(rows, console.width().min(80))
}
