//! The judgement on an experiment: pure, from the plan and what was seen.

use serde::{Deserialize, Serialize};

use super::plan::{Side, Window};

/// All that had to be seen, and whether it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Every check, the general ones first.
    pub checks: Vec<Check>,
}

/// Something that had to be seen on one side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// On which side; none: of the experiment as a whole.
    pub side: Option<Side>,
    /// What it is about, such as `p99` or `the fault was live`.
    pub name: String,
    /// Of which calls; none: of no calls.
    pub during: Option<Window>,
    /// What had to be seen, in words: `at most 3.7 s`.
    pub expected: String,
    /// What was seen, in words: `4.91 s`.
    pub seen: String,
    /// The figure itself, where there is one, in the metric's own unit.
    pub value: Option<f64>,
    /// Whether it holds.
    pub holds: bool,
}

impl Verdict {
    /// Whether all of it holds.
    #[must_use]
    pub fn passed(&self) -> bool {
        !self.checks.is_empty() && self.checks.iter().all(|check| check.holds)
    }
}

/// stub
pub fn steady_before(_: &super::plan::Experiment, _: &[super::trial::Call]) -> Result<(), String> { Ok(()) }
