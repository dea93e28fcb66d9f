//! What an ablation shows.

use comfy_table::{ContentArrangement, Table, presets};

use super::ablations::Ablation;
use crate::error::ExperimentError;
use crate::find::Found;
use crate::output::{Console, Tone};
use crate::plan::Side;
use crate::verdict::Check;

/// One experiment, and what was seen without each policy.
pub(super) type Ablated = (Found, Vec<Row>);

/// A trial, and what did not hold in it.
pub(super) struct Row {
    /// None: all policies were in place.
    pub(super) ablation: Option<Ablation>,
    pub(super) failing: Vec<Check>,
}

impl Row {
    pub(super) fn without(&self) -> String {
        self.ablation
            .map_or_else(|| "nothing".to_owned(), |it| it.to_string())
    }

    /// What then failed, a line each.
    pub(super) fn fails(&self) -> String {
        if self.failing.is_empty() {
            return "nothing".to_owned();
        }
        let line =
            |check: &Check| format!("{}: {}, not {}", check.name, check.seen, check.expected);
        self.failing.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// In place of the checks of a trial that did not come to its end.
pub(super) fn could_not(error: &ExperimentError) -> Check {
    Check::broke_off(Some(Side::Resilient), "yes", error.to_string())
}

pub(super) fn print(title: &str, rows: &[Row], console: Console) {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_BORDERS_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(console.width()).unwrap_or(u16::MAX))
        .set_header(["without", "what then fails"]);
    for row in rows {
        table.add_row([row.without(), row.fails()]);
    }
    console.print(console.paint(Tone::Strong, title));
    console.print(table);
}

pub(super) fn missed_by_none(ablated: &[Ablated]) -> Vec<Ablation> {
    let missed = |ablation: &Ablation| {
        let rows = ablated.iter().flat_map(|(_, rows)| rows);
        let mut of_it = rows.filter(|row| row.ablation == Some(*ablation));
        of_it.any(|row| !row.failing.is_empty())
    };
    let all = Ablation::ALL.iter().copied();
    all.filter(|ablation| !missed(ablation)).collect()
}

#[cfg(test)]
mod tests {
    use holdfast_system::error::SystemError;

    use super::*;
    use crate::fixtures::plan;

    #[test]
    fn a_policy_that_one_experiment_misses_is_no_finding_and_all_others_are() {
        let fails = could_not(&SystemError::Interrupted.into());
        let row = |ablation, failing: &[Check]| Row {
            ablation: Some(ablation),
            failing: failing.to_vec(),
        };
        let found = || Found {
            text: String::new(),
            experiment: plan(),
        };
        let findings = missed_by_none(&[
            (
                found(),
                vec![row(Ablation::Retry, &[]), row(Ablation::Breaker, &[])],
            ),
            (found(), vec![row(Ablation::Retry, &[fails])]),
        ]);
        assert!(findings.contains(&Ablation::Breaker) && !findings.contains(&Ablation::Retry));
        assert_eq!(findings.len(), Ablation::ALL.len() - 1);
    }
}
