//! The file as serde reads it, and as an editor is told of it: each key with its type and its default.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::text::{Figure, Several};
use crate::plan::{KindName, Load, System, Target, Window};
use crate::stage::StageKind;
use crate::time::{OptionalTime, Time};

/// An experiment: a question, a prediction, a fault under load, and what each side must show.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// A few words.
    pub(super) title: String,
    /// What a student should be able to answer afterwards.
    pub(super) question: String,
    /// What is expected to be seen, and why.
    pub(super) prediction: String,
    /// Where it can be played.
    #[serde(default = "both")]
    pub(super) stages: Vec<StageKind>,
    /// What is played on.
    #[serde(default, skip_serializing_if = "is_told_by_its_keys")]
    pub(super) system: System,
    /// What arrives.
    pub(super) load: Load,
    /// What is broken, and when.
    #[serde(default)]
    pub(super) fault: Vec<Fault>,
    /// What the naive side must show: how it falls.
    #[schemars(schema_with = "super::json::side")]
    pub(super) naive: Expectations,
    /// What the resilient side must show: that it holds, and what that costs.
    #[schemars(schema_with = "super::json::side")]
    pub(super) resilient: Expectations,
}

/// Something that is broken.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Fault {
    /// What is hurt.
    pub(super) target: Target,
    /// How.
    pub(super) kind: KindName,
    /// When, from the start of the load.
    #[serde(with = "Time")]
    pub(super) at: Duration,
    /// For how long.
    #[serde(rename = "for", with = "Time")]
    pub(super) lasts: Duration,
    /// Of `latency`: by how long an answer is held back.
    #[serde(
        default,
        with = "OptionalTime",
        skip_serializing_if = "Option::is_none"
    )]
    pub(super) delay: Option<Duration>,
    /// Of `latency`: give or take, at random.
    #[serde(
        default,
        with = "OptionalTime",
        skip_serializing_if = "Option::is_none"
    )]
    pub(super) jitter: Option<Duration>,
    /// Of `reset`: how many bytes of the answer still pass.
    pub(super) after_bytes: Option<usize>,
    /// Of `status`: the HTTP status.
    pub(super) code: Option<u16>,
    /// Of `latency`, `reset`, `garbage`, `status`: of how many requests.
    pub(super) share: Option<f64>,
    /// Of `surge`: requests per second, beside the usual load.
    pub(super) rate: Option<f64>,
    /// Of `surge`: the urgency that they ask for, `u` of `Priority`.
    pub(super) priority: Option<u8>,
}

/// What a side must show: for each figure its limits, or several.
pub(super) type Expectations = BTreeMap<String, Several>;

/// The limits of a figure: one of them at least. Times are text, `"4s"`; counts, shares and rates are numbers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Limits {
    /// Not less than this.
    pub(super) at_least: Option<Figure>,
    /// Not more than this.
    pub(super) at_most: Option<Figure>,
    /// Of which calls.
    pub(super) during: Option<Window>,
}

fn both() -> Vec<StageKind> {
    vec![StageKind::Local, StageKind::Compose]
}

/// An editor is told the default of each key, and not once more of all.
fn is_told_by_its_keys(_: &System) -> bool {
    true
}
