//! The table: a row per probe, a column per crate, each answer marked right or wrong.

use std::fmt::Write;

use super::{Finding, PROBES, Probe};
use crate::contenders::CONTENDERS;

/// Explains the marks and the words.
pub const LEGEND: &str = "✓ right   ✗ wrong   – the crate has no such feature   [1] see the note\n\
    stale: of calls that were let in before the breaker opened and came back later";

/// The line above the rows.
pub fn header() -> String {
    let cells = CONTENDERS.iter().map(|contender| contender.name().into());
    line("", "right", cells)
}

/// The line of one probe; `findings` are in the order of [`CONTENDERS`].
pub fn row(probe: &Probe, findings: &[Option<Finding>]) -> String {
    let cells = findings.iter().map(|finding| cell(probe, *finding));
    line(&title(probe), &probe.right.to_string(), cells)
}

/// The notes, in the order of their numbers.
pub fn notes() -> Vec<String> {
    let notes = PROBES.iter().filter_map(|probe| probe.note);
    (1..)
        .zip(notes)
        .map(|(number, note)| format!("[{number}] {note}"))
        .collect()
}

fn line(title: &str, right: &str, cells: impl Iterator<Item = String>) -> String {
    let widest = PROBES.iter().map(|probe| width(&self::title(probe)));
    let titles = widest.max().unwrap_or(0);
    let mut line = format!("{title:titles$}  {right:5}");
    for (contender, cell) in CONTENDERS.iter().zip(cells) {
        let column = width(contender.name());
        // Writing to a string cannot fail.
        let _ = write!(line, "  {cell:column$}");
    }
    line.truncate(line.trim_end().len());
    line
}

fn title(probe: &Probe) -> String {
    let with_notes = PROBES.iter().filter(|other| other.note.is_some());
    let number = (1..)
        .zip(with_notes)
        .find(|(_, other)| other.question == probe.question);
    match number {
        Some((number, _)) => format!("{} [{number}]", probe.question),
        None => probe.question.into(),
    }
}

fn cell(probe: &Probe, finding: Option<Finding>) -> String {
    match finding {
        Some(finding) if probe.right.admits(finding) => format!("{finding} ✓"),
        Some(finding) => format!("{finding} ✗"),
        None => "–".into(),
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probes::counting;

    #[test]
    fn right_wrong_and_missing_answers_are_told_apart() {
        let findings = [Some(Finding::Yes), Some(Finding::No), None];
        let cells = findings.map(|finding| cell(&counting::PANIC, finding));
        assert_eq!(cells, ["yes ✓", "no ✗", "–"]);
    }

    #[test]
    fn a_number_is_right_up_to_its_limit() {
        let findings = [Finding::Count(5), Finding::Count(6), Finding::Above(5)];
        let cells = findings.map(|finding| cell(&counting::HEALTHY_PAST, Some(finding)));
        assert_eq!(cells, ["5 ✓", "6 ✗", "> 5 ✗"]);
    }

    #[test]
    fn answers_stand_below_the_crate_they_are_of() {
        let row = row(
            &counting::PANIC,
            &[None, None, None, None, Some(Finding::Yes)],
        );
        let column = |line: &str, text: &str| line.find(text).map(|at| width(&line[..at]));
        let ours = column(&header(), "holdfast-policy");
        assert!(ours.is_some());
        assert_eq!(ours, column(&row, "yes ✓"));
    }
}
