//! A run on the terminal, beside the pages of the report: of both sides, and of somebody else's API.

mod contender;
mod terminal;

pub(crate) use holdfast_report::{Facts, Listed, Others, Repeat, Report, Summary, html, index};

pub(super) use contender::{contender, one_sided};
pub(crate) use terminal::text;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::plan::Side;
use super::verdict::{Check, Finding};
use crate::output::Tone;

/// A check that does not hold, such as `resilient: p99, during the fault: had to be at most 3.7 s, was 4.91 s`.
pub(super) fn line(check: &Check) -> String {
    let side = check.side.map_or("experiment", Side::name);
    let why = match check.finding() {
        Finding::Unknown => format!("; {}", check.seen),
        _ => String::new(),
    };
    format!("{side}: {}{why}", without_side(check))
}

fn without_side(check: &Check) -> String {
    let Check {
        name,
        expected,
        seen,
        ..
    } = check;
    let during = check.during.map(|window| format!(", {}", window.words()));
    let during = during.unwrap_or_default();
    match check.finding() {
        Finding::Unknown => format!("unknown: {name}{during}: should be {expected}"),
        _ => format!("{name}{during}: had to be {expected}, was {seen}"),
    }
}

/// In which a verdict is told.
fn tone(finding: Finding) -> Tone {
    match finding {
        Finding::Held => Tone::Good,
        Finding::Unknown => Tone::Warning,
        Finding::Failed => Tone::Bad,
    }
}

/// A table's lines, its figures to the right, no wider than this.
fn table<const COLUMNS: usize>(
    rows: impl Iterator<Item = [String; COLUMNS]>,
    width: usize,
) -> Vec<String> {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(width).unwrap_or(u16::MAX))
        .add_rows(rows);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let lines = table.lines();
    lines.map(|line| format!(" {}", line.trim_end())).collect()
}
