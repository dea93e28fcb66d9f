//! The policies an experiment is played with: the experiments' own file, what the experiment lays over it, and what an
//! ablation takes out.

use std::fs;
use std::path::Path;

use holdfast_system::error::SystemError;
use toml::{Table, Value};

use super::plan::Experiment;
use crate::error::ExperimentError;

/// In the checkout.
pub(super) const FILE: &str = "experiments/policies.toml";

/// The text of the policy file the API is given.
pub(super) fn of(
    experiment: &Experiment,
    root: &Path,
    taken_out: Option<&Table>,
) -> Result<String, ExperimentError> {
    let path = root.join(FILE);
    let text = fs::read_to_string(&path).map_err(SystemError::file("read", &path))?;
    let table = text.parse::<Table>();
    let mut table =
        table.map_err(|error| ExperimentError::Experiment(format!("{FILE}: {error}")))?;
    overlay(&mut table, &experiment.system.policies);
    if let Some(taken_out) = taken_out {
        overlay(&mut table, taken_out);
    }
    Ok(table.to_string())
}

/// As the API lays a file over its defaults: tables are merged, everything else is replaced.
fn overlay(table: &mut Table, over: &Table) {
    for (key, value) in over {
        match (table.get_mut(key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => overlay(below, above),
            _ => {
                table.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_laid_over_replaces_values_and_merges_tables() {
        let mut table: Table = "[worker]\na = 1\nretry = { b = 2, c = 3 }".parse().unwrap();
        overlay(
            &mut table,
            &"[worker.retry]\nb = 9\n[journal]\nd = 4".parse().unwrap(),
        );
        assert_eq!(table["worker"]["a"].as_integer(), Some(1));
        assert_eq!(table["worker"]["retry"]["b"].as_integer(), Some(9));
        assert_eq!(table["worker"]["retry"]["c"].as_integer(), Some(3));
        assert_eq!(table["journal"]["d"].as_integer(), Some(4));
    }
}
