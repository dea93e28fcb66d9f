//! What an ablation leaves: its tables as Markdown, in a file of its own.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use holdfast_system::error::SystemError;
use jiff::Timestamp;

use super::table::{Ablated, missed_by_none};
use crate::error::ExperimentError;
use crate::results::ABLATIONS;

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
    use super::super::ablations::Ablation;
    use super::super::table::{Row, could_not};
    use super::*;
    use crate::find::Found;
    use crate::fixtures::plan;

    #[test]
    fn it_has_a_table_for_each_experiment_and_names_what_none_of_them_missed() {
        let found = Found {
            text: String::new(),
            experiment: plan(),
        };
        let row = |ablation, failing| Row { ablation, failing };
        let fails = vec![could_not(&ExperimentError::Experiment("a | b".to_owned()))];
        let rows = vec![row(None, Vec::new()), row(Some(Ablation::Retry), fails)];
        let folder = tempfile::tempdir().unwrap();
        let path = write(&[(found, rows)], "local", folder.path()).unwrap();
        let text = fs::read_to_string(path).unwrap();
        let has = |part: &str| assert!(text.contains(part), "{text}");
        has("## Worker killed (worker-killed, seed");
        has("| nothing | nothing |");
        has("a \\| b");
        has(&format!("misses: {}\n", Ablation::Breaker));
        assert!(!text.contains(&format!("misses: {}\n", Ablation::Retry)));
    }
}
