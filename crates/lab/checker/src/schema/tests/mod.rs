//! What a file is read as, and what is refused.

mod faults;
mod keys;
mod rules;

use std::path::Path;

use crate::arrivals::Arrivals;
use crate::fixtures::{ms, s};
use crate::plan::{Expectation, Experiment, Metric, Window};
use crate::stage::StageKind;

/// Line 5 is `[load]`, line 8 the first `[[fault]]`, line 13 `[naive]`, line 15 `[resilient]`.
const FILE: &str = r#"title = "Worker killed"
question = "Who falls?"
prediction = "Naive."

[load]
rate = 40
for = "14s"
[[fault]]
target = "worker"
kind = "kill"
at = "3s"
for = "5s"
[naive]
unanswered = { at_least = 20 }
[resilient]
over_bound = { at_most = 0 }
"#;

fn parse(text: &str) -> Result<Experiment, String> {
    let path = Path::new("experiments/worker-killed.toml");
    Experiment::parse(path, text).map_err(|error| error.to_string())
}

/// The file, with this text in place of that.
fn with(that: &str, this: &str) -> String {
    assert!(FILE.contains(that), "{that}");
    FILE.replacen(that, this, 1)
}

fn refusal(text: &str) -> String {
    let refusal = parse(text).unwrap_err();
    assert!(!refusal.contains('\n'), "{refusal}");
    let rest = refusal.strip_prefix("experiments/worker-killed.toml:");
    rest.unwrap().to_owned()
}

/// Holds that each change is refused with a text that begins so.
fn refused(cases: &[(&str, &str, &str)]) {
    for (that, this, expected) in cases {
        let refusal = refusal(&with(that, this));
        assert!(refusal.starts_with(expected), "{this}: {refusal}");
    }
}

#[test]
fn what_is_not_said_has_its_default() {
    let plan = parse(FILE).unwrap();
    assert_eq!(plan.name, "worker-killed");
    assert_eq!(plan.stages, [StageKind::Local, StageKind::Compose]);
    assert_eq!(plan.system.work_delay, ms(200));
    assert!(plan.system.policies.is_empty());
    assert_eq!((plan.load.rate, plan.load.lasts), (40.0, s(14)));
    assert_eq!(plan.load.arrivals, Arrivals::Poisson);
    assert_eq!((plan.load.patience, plan.load.seed), (s(5), 1));
    assert_eq!((plan.load.asks_again, plan.load.leaving), (None, None));
    assert_eq!(
        plan.resilient,
        [Expectation {
            metric: Metric::OverBound,
            during: Window::Fault,
            at_least: None,
            at_most: Some(0.0),
        }]
    );
}

#[test]
fn what_is_said_is_what_is_played() {
    let text = with(
        "[load]\nrate = 40",
        "stages = [\"local\"]\n[system]\nwork_delay = \"100ms\"\n\
        policies = { worker = { breaker = { open_for = \"1s\" } } }\n[load]\narrivals = \"constant\"\n\
        patience = \"4s\"\nseed = 7\nasks_again = \"500ms\"\nleaving = { share = 0.5, after = \"50ms\" }\nrate = 0.5",
    );
    let plan = parse(&text).unwrap();
    assert_eq!(plan.stages, [StageKind::Local]);
    assert_eq!(plan.system.work_delay, ms(100));
    let open_for = &plan.system.policies["worker"]["breaker"]["open_for"];
    assert_eq!(open_for.as_str(), Some("1s"));
    assert_eq!(plan.load.arrivals, Arrivals::Constant);
    assert_eq!((plan.load.patience, plan.load.seed), (s(4), 7));
    assert_eq!(plan.load.asks_again, Some(ms(500)));
    let leaving = plan.load.leaving.unwrap();
    assert_eq!((leaving.share, leaving.after), (0.5, ms(50)));
}

#[test]
fn a_figure_has_one_limit_or_several_each_in_its_unit() {
    let text = with(
        "over_bound = { at_most = 0 }",
        "success_share = [{ at_most = 0.1 }, { at_least = 0.95, during = \"after\" }]\n\
         p99 = { at_least = \"250ms\", at_most = \"4s\", during = \"all\" }",
    );
    let read: Vec<_> = parse(&text)
        .unwrap()
        .resilient
        .into_iter()
        .map(|it| (it.metric, it.during, it.at_least, it.at_most))
        .collect();
    assert_eq!(
        read,
        [
            (Metric::SuccessShare, Window::Fault, None, Some(0.1)),
            (Metric::SuccessShare, Window::After, Some(0.95), None),
            (Metric::P99, Window::All, Some(0.25), Some(4.0)),
        ]
    );
}
