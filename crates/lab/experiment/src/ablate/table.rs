//! What an ablation shows, and leaves as Markdown in a file of its own.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use comfy_table::{ContentArrangement, Table, presets};
use holdfast_system::error::SystemError;
use jiff::Timestamp;

use super::ablations::Ablation;
use crate::error::ExperimentError;
use crate::find::Found;
use crate::output::{Console, Tone};
use crate::plan::Side;
use crate::results::ABLATIONS;
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

/// Writes the report into the folder of results; where it is.
pub(super) fn write(
    ablated: &[Ablated],
    stage: &str,
    results: &Path,
) -> Result<PathBuf, ExperimentError> {
    let folder = results.join(ABLATIONS);
    fs::create_dir_all(&folder).map_err(SystemError::file("make", &folder))?;
    let now = Timestamp::now();
    let path = folder.join(format!("{}.md", now.strftime("%Y-%m-%dT%H-%M-%SZ")));
    let text = text(ablated, stage, now);
    fs::write(&path, text).map_err(SystemError::file("write", &path))?;
    Ok(path)
}

fn text(ablated: &[Ablated], stage: &str, now: Timestamp) -> String {
    let mut text = format!("# What fails without which policy\n\n{now:.0}, {stage} stage.\n");
    for (found, rows) in ablated {
        let experiment = &found.experiment;
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\n## {} ({}, seed {})\n\n| without | what then fails |\n|---|---|\n",
            experiment.title, experiment.name, experiment.load.seed
        );
        for row in rows {
            let fails = row.fails().replace('|', "\\|").replace('\n', "<br>");
            let _ = writeln!(text, "| {} | {fails} |", row.without());
        }
    }
    for ablation in missed_by_none(ablated) {
        let _ = write!(text, "\nNo experiment here misses: {ablation}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::plan;

    fn found() -> Found {
        Found {
            text: String::new(),
            experiment: plan(),
        }
    }

    fn row(ablation: Option<Ablation>, fails: Option<&str>) -> Row {
        let could_not = |why: &str| could_not(&ExperimentError::Experiment(why.to_owned()));
        Row {
            ablation,
            failing: fails.map(could_not).into_iter().collect(),
        }
    }

    #[test]
    fn a_policy_that_one_experiment_misses_is_no_finding_and_all_others_are() {
        let (retry, breaker) = (Some(Ablation::Retry), Some(Ablation::Breaker));
        let findings = missed_by_none(&[
            (found(), vec![row(retry, None), row(breaker, None)]),
            (found(), vec![row(retry, Some("x"))]),
        ]);
        assert!(findings.contains(&Ablation::Breaker) && !findings.contains(&Ablation::Retry));
        assert_eq!(findings.len(), Ablation::ALL.len() - 1);
    }

    #[test]
    fn the_report_has_a_table_for_each_experiment_and_names_what_none_of_them_missed() {
        let rows = vec![row(None, None), row(Some(Ablation::Retry), Some("a | b"))];
        let folder = tempfile::tempdir().unwrap();
        let path = write(&[(found(), rows)], "local", folder.path()).unwrap();
        let text = fs::read_to_string(path).unwrap();
        let has = |part: &str| assert!(text.contains(part), "{text}");
        has("## Worker killed (worker-killed, seed");
        has("| nothing | nothing |");
        has("a \\| b");
        has(&format!("misses: {}\n", Ablation::Breaker));
        assert!(!text.contains(&format!("misses: {}\n", Ablation::Retry)));
    }
}
