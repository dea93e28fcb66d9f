//! The map in a terminal.

use std::fmt::Write;

use super::{Cell, Fate, STEPS, Sheet, Side};

/// A line for each side, then the two that matter side by side.
pub(crate) fn text(sheets: &[Sheet]) -> String {
    let mut text = String::new();
    let names = Fate::ALL
        .map(|fate| format!("{:>14}", fate.name()))
        .concat();
    let _ = writeln!(text, "{:26}{names}", "cells");
    for sheet in sheets {
        let counts = Fate::ALL
            .map(|fate| format!("{:>14}", sheet.count(fate)))
            .concat();
        let _ = writeln!(text, "{:26}{counts}", sheet.side.name);
    }
    let of = |side| sheets.iter().find(|sheet| sheet.side == side);
    if let (Some(naive), Some(resilient)) = (of(Side::NAIVE_RETRIES), of(Side::RESILIENT)) {
        let names = [naive, resilient].map(|sheet| sheet.side.name);
        let _ = writeln!(text, "\nload  {:24}{}", names[0], names[1]);
        for step in (1..=STEPS).rev() {
            let load = step * 100 / STEPS;
            let [naive, resilient] = [naive, resilient].map(|sheet| row(sheet, load));
            let _ = writeln!(text, "{load:>3}%  {naive:24}{resilient}");
        }
        let _ = writeln!(text, "      the worker stands still for 1 to {STEPS} s");
        let marks = Fate::ALL.map(|fate| format!("{} {}", fate.mark(), fate.name()));
        let _ = writeln!(text, "      {}", marks.join("   "));
    }
    text
}

fn row(sheet: &Sheet, load: u32) -> String {
    let fates = (1..=STEPS).map(|pause| sheet.fate(Cell { load, pause }));
    fates.map(Fate::mark).collect()
}
