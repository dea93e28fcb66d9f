use std::path::Path;
use std::time::Duration;

use crate::experiment::plan::{Expectation, Experiment, Kind, Metric, Target, Window};
use crate::experiment::scene::{ms, s};
use crate::load::Arrivals;
use crate::settings::StageKind;

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

/// The file's fault, of this kind.
fn fault(target: &str, kind: &str) -> String {
    with("kind = \"kill\"", &format!("kind = {kind}"))
        .replace("\"worker\"", &format!("\"{target}\""))
}

/// What the file's fault of this kind is read as.
fn kind(target: &str, kind: &str) -> Kind {
    parse(&fault(target, kind)).unwrap().faults[0].kind
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
    assert_eq!(plan.load.leaving, None);
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
        patience = \"4s\"\nseed = 7\nleaving = { share = 0.5, after = \"50ms\" }\nrate = 0.5",
    );
    let plan = parse(&text).unwrap();
    assert_eq!(plan.stages, [StageKind::Local]);
    assert_eq!(plan.system.work_delay, ms(100));
    let open_for = &plan.system.policies["worker"]["breaker"]["open_for"];
    assert_eq!(open_for.as_str(), Some("1s"));
    assert_eq!(plan.load.arrivals, Arrivals::Constant);
    assert_eq!((plan.load.patience, plan.load.seed), (s(4), 7));
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

#[test]
fn each_kind_has_its_figures_and_their_defaults() {
    assert_eq!(
        kind("worker", "\"latency\"\ndelay = \"2s\""),
        Kind::Latency {
            delay: s(2),
            jitter: Duration::ZERO,
            share: 1.0
        }
    );
    assert_eq!(
        kind(
            "database",
            "\"latency\"\ndelay = \"2s\"\njitter = \"2s\"\nshare = 0.1"
        ),
        Kind::Latency {
            delay: s(2),
            jitter: s(2),
            share: 0.1
        }
    );
    assert_eq!(
        kind("worker", "\"reset\""),
        Kind::Reset {
            after_bytes: 0,
            share: 1.0
        }
    );
    assert_eq!(
        kind("worker", "\"reset\"\nafter_bytes = 9\nshare = 0.5"),
        Kind::Reset {
            after_bytes: 9,
            share: 0.5
        }
    );
    assert_eq!(kind("worker", "\"garbage\""), Kind::Garbage { share: 1.0 });
    assert_eq!(
        kind("worker", "\"status\"\ncode = 599\nshare = 0.5"),
        Kind::Status {
            code: 599,
            share: 0.5
        }
    );
}

#[test]
fn every_kind_is_read_by_its_name_and_only_for_targets_that_can_suffer_it() {
    let all = ["worker", "database", "api"];
    for (name, can) in [
        ("kill", &all[..]),
        ("pause", &all),
        ("restart", &all),
        ("replace", &["worker"]),
        ("refuse", &["worker", "database"]),
        ("blackhole", &["worker", "database"]),
        ("latency", &["worker", "database"]),
        ("reset", &["worker", "database"]),
        ("garbage", &["worker", "database"]),
        ("status", &["worker"]),
        ("lock", &["database"]),
        ("connections", &["database"]),
        ("read_only", &["database"]),
    ] {
        let own = match name {
            "latency" => "\ndelay = \"1s\"",
            "status" => "\ncode = 500",
            _ => "",
        };
        for target in all {
            let text = fault(target, &format!("\"{name}\"{own}"));
            let text = text.replace("[load]", "stages = [\"compose\"]\n[load]");
            match parse(&text) {
                Ok(plan) => {
                    assert!(can.contains(&target), "{name} on {target}");
                    assert_eq!(plan.faults[0].to_string(), format!("{target} {name}"));
                }
                Err(refusal) => {
                    let rule = format!("is nothing that the {target} can suffer");
                    assert!(refusal.ends_with(&rule), "{refusal}");
                    assert!(!can.contains(&target), "{name} on {target}");
                }
            }
        }
    }
}

#[test]
fn faults_are_told_in_the_order_of_their_beginnings_and_may_be_none() {
    let earlier =
        "[[fault]]\ntarget = \"database\"\nkind = \"lock\"\nat = \"2s\"\nfor = \"3s\"\n[naive]";
    let faults = parse(&with("[naive]", earlier)).unwrap().faults;
    assert_eq!((faults[0].target, faults[0].at), (Target::Database, s(2)));
    assert_eq!((faults[1].target, faults[1].at), (Target::Worker, s(3)));
    let start = FILE.find("[[fault]]").unwrap();
    let end = FILE.find("[naive]").unwrap();
    let none = format!("{}{}", &FILE[..start], &FILE[end..]);
    assert_eq!(parse(&none).unwrap().faults, []);
}

#[test]
fn unknown_keys_are_refused_everywhere_with_line_and_hint() {
    refused(&[
        (
            "title",
            "titel = \"x\"\ntitle",
            "1: titel: unknown key; did you mean `title`?",
        ),
        (
            "rate = 40",
            "rate = 40\npatiance = \"5s\"",
            "7: load.patiance: unknown key; did you mean `patience`?",
        ),
        (
            "[load]",
            "[system]\nwork_dely = \"1s\"\n[load]",
            "6: system.work_dely: unknown key; did you mean `work_delay`?",
        ),
        (
            "rate = 40",
            "leaving = { shares = 1 }\nrate = 40",
            "6: load.leaving.shares: unknown key; did you mean `share`?",
        ),
        (
            "at = \"3s\"",
            "at = \"3s\"\njiter = \"1s\"",
            "12: fault[0].jiter: unknown key; did you mean `jitter`?",
        ),
        (
            "unanswered",
            "unansweredd",
            "14: naive.unansweredd: unknown key; did you mean `unanswered`?",
        ),
        (
            "over_bound",
            "colour",
            "16: resilient.colour: unknown key; known are unanswered, unanswered_share, ",
        ),
        (
            "at_most",
            "atmost",
            "16: resilient.over_bound.atmost: unknown key; did you mean `at_most`?",
        ),
        (
            "{ at_most = 0 }",
            "[{ at_most = 0 }, { at_mots = 1 }]",
            "16: resilient.over_bound[1].at_mots: unknown key; did you mean `at_most`?",
        ),
    ]);
}

#[test]
fn unknown_words_are_refused_with_line_and_hint() {
    refused(&[
        (
            "\"kill\"",
            "\"kil\"",
            "10: fault[0].kind = \"kil\": unknown; did you mean `kill`?",
        ),
        (
            "\"worker\"",
            "\"db\"",
            "9: fault[0].target = \"db\": unknown; known are worker, database, api",
        ),
        (
            "rate = 40",
            "rate = 40\narrivals = \"poison\"",
            "7: load.arrivals = \"poison\": unknown; did you mean `poisson`?",
        ),
        (
            "[load]",
            "stages = [\"lokal\"]\n[load]",
            "5: stages[0] = \"lokal\": unknown; did you mean `local`?",
        ),
        (
            "at_most = 0",
            "at_most = 0, during = \"afer\"",
            "16: resilient.over_bound.during = \"afer\": unknown; did you mean `after`?",
        ),
    ]);
}

#[test]
fn wrong_types_and_missing_keys_are_refused_with_their_place() {
    refused(&[
        (
            "\"14s\"",
            "14",
            "7: load.for = 14: invalid type: integer `14`, expected a time such as",
        ),
        (
            "\"14s\"",
            "\"14\"",
            "7: load.for = \"14\": give a time such as",
        ),
        (
            "\"14s\"",
            "\"-14s\"",
            "7: load.for = \"-14s\": give a time such as",
        ),
        ("rate = 40\n", "", "5: load: missing field `rate`"),
        ("at = \"3s\"\n", "", "8: fault[0]: missing field `at`"),
        (
            "[naive]\nunanswered = { at_least = 20 }\n",
            "",
            "1: missing field `naive`",
        ),
        (
            "{ at_least = 20 }",
            "20",
            "14: naive.unanswered = 20: invalid type: integer `20`, expected a table",
        ),
        (
            "at_least = 20",
            "at_least = true",
            "14: naive.unanswered.at_least = true: invalid type",
        ),
        ("rate = 40", "rate = = 40", "6: "),
    ]);
}

#[test]
fn words_must_say_something_and_stages_be_named_once() {
    refused(&[
        (
            "\"Worker killed\"",
            "\" \"",
            "1: title = \" \": must say something",
        ),
        (
            "\"Who falls?\"",
            "\"\"",
            "2: question = \"\": must say something",
        ),
        (
            "\"Naive.\"",
            "\"\"",
            "3: prediction = \"\": must say something",
        ),
        (
            "[load]",
            "stages = []\n[load]",
            "5: stages = []: must name one",
        ),
        (
            "[load]",
            "stages = [\"local\", \"local\"]\n[load]",
            "5: stages = [\"local\", \"local\"]: must name each once",
        ),
    ]);
    let error = Experiment::parse(Path::new("a b.toml"), FILE).unwrap_err();
    assert!(
        error.to_string().starts_with("a b.toml:1: the file's name"),
        "{error}"
    );
}

#[test]
fn load_and_system_have_their_limits() {
    refused(&[
        (
            "rate = 40",
            "rate = 0.09",
            "6: load.rate = 0.09: must be from 0.1 to 2000",
        ),
        ("rate = 40", "rate = 2001", "6: load.rate = 2001: must"),
        ("rate = 40", "rate = nan", "6: load.rate = nan: must"),
        (
            "\"14s\"",
            "\"3999ms\"",
            "7: load.for = \"3999ms\": must be from 4s",
        ),
        (
            "\"14s\"",
            "\"3601s\"",
            "7: load.for = \"3601s\": must be from 4s",
        ),
        (
            "rate = 40",
            "patience = \"99ms\"\nrate = 40",
            "6: load.patience = \"99ms\": must be from 100ms",
        ),
        (
            "rate = 40",
            "leaving = { share = 1.0, after = \"1s\" }\nrate = 40",
            "6: load.leaving.share = 1.0: must be above 0 and below 1",
        ),
        (
            "rate = 40",
            "leaving = { share = 0.0, after = \"1s\" }\nrate = 40",
            "6: load.leaving.share = 0.0: must be above 0",
        ),
        (
            "rate = 40",
            "leaving = { share = 0.5, after = \"5s\" }\nrate = 40",
            "6: load.leaving.after = \"5s\": must be above 0 and below load.patience",
        ),
        (
            "rate = 40",
            "leaving = { share = 0.5, after = \"0s\" }\nrate = 40",
            "6: load.leaving.after = \"0s\": must",
        ),
        (
            "[load]",
            "[system]\nwork_delay = \"11s\"\n[load]",
            "6: system.work_delay = \"11s\": must be at most 10s",
        ),
    ]);
    for rate in ["0.1", "2000"] {
        assert!(parse(&with("40", rate)).is_ok());
    }
}

#[test]
fn faults_leave_time_for_steady_state_at_both_ends() {
    refused(&[
        (
            "\"3s\"",
            "\"1999ms\"",
            "11: fault[0].at = \"1999ms\": must be at least 2s",
        ),
        (
            "[load]",
            "[system]\nwork_delay = \"700ms\"\n[load]",
            "13: fault[0].at = \"3s\": leaves no second of calls",
        ),
        (
            "for = \"5s\"",
            "for = \"199ms\"",
            "12: fault[0].for = \"199ms\": must be at least 200ms",
        ),
        (
            "for = \"5s\"",
            "for = \"9001ms\"",
            "12: fault[0].for = \"9001ms\": must leave 2s of steady state",
        ),
        (
            "for = \"5s\"",
            "for = \"99999999999s\"",
            "12: fault[0].for = \"99999999999s\": must leave 2s",
        ),
    ]);
    assert!(parse(&with("\"3s\"", "\"2s\"")).is_ok());
    assert!(parse(&with("for = \"5s\"", "for = \"9s\"")).is_ok());
}

#[test]
fn figures_of_a_fault_have_their_limits_and_belong_to_its_kind() {
    refused(&[
        (
            "\"kill\"",
            "\"kill\"\nshare = 0.5",
            "11: fault[0].share = 0.5: this kind of fault does not have it: it has no key",
        ),
        (
            "\"kill\"",
            "\"status\"\ncode = 500\ndelay = \"1s\"",
            "12: fault[0].delay = \"1s\": this kind of fault does not have it: it has code, share",
        ),
        (
            "\"kill\"",
            "\"garbage\"\ncode = 500",
            "11: fault[0].code = 500: this kind",
        ),
        (
            "\"kill\"",
            "\"latency\"",
            "8: fault[0]: this kind of fault needs `delay`",
        ),
        (
            "\"kill\"",
            "\"status\"",
            "8: fault[0]: this kind of fault needs `code`",
        ),
        (
            "\"kill\"",
            "\"status\"\ncode = 399",
            "11: fault[0].code = 399: must be from 400 to 599",
        ),
        (
            "\"kill\"",
            "\"status\"\ncode = 600",
            "11: fault[0].code = 600: must be",
        ),
        (
            "\"kill\"",
            "\"garbage\"\nshare = 0.0",
            "11: fault[0].share = 0.0: must be above 0 and at most 1",
        ),
        (
            "\"kill\"",
            "\"reset\"\nshare = 1.1",
            "11: fault[0].share = 1.1: must be",
        ),
        (
            "\"kill\"",
            "\"latency\"\ndelay = \"0s\"",
            "11: fault[0].delay = \"0s\": must be above 0",
        ),
        (
            "\"kill\"",
            "\"latency\"\ndelay = \"1s\"\njitter = \"2s\"",
            "12: fault[0].jitter = \"2s\": must not exceed",
        ),
        (
            "\"kill\"",
            "\"replace\"",
            "10: fault[0].kind = \"replace\": processes have no address",
        ),
    ]);
}

#[test]
fn faults_on_the_same_target_do_not_overlap() {
    let second = |target: &str, at: &str| {
        let fault = format!(
            "[[fault]]\ntarget = \"{target}\"\nkind = \"pause\"\nat = \"{at}\"\nfor = \"1s\"\n[naive]"
        );
        with("[naive]", &fault)
    };
    let refusal = refusal(&second("worker", "7s"));
    assert_eq!(
        refusal,
        "16: fault[1].at = \"7s\": must not overlap with `worker kill`, which hurts the same target"
    );
    assert!(parse(&second("worker", "2001ms")).is_err());
    for (target, at) in [("worker", "8s"), ("worker", "2s"), ("database", "5s")] {
        assert!(parse(&second(target, at)).is_ok(), "{target} {at}");
    }
}

#[test]
fn limits_are_there_are_in_order_and_in_the_unit_of_their_figure() {
    refused(&[
        (
            "unanswered = { at_least = 20 }\n",
            "",
            "13: naive: must expect something",
        ),
        (
            "over_bound = { at_most = 0 }\n",
            "",
            "15: resilient: must expect something",
        ),
        (
            "{ at_least = 20 }",
            "[]",
            "13: naive: must expect something",
        ),
        (
            "{ at_least = 20 }",
            "{}",
            "14: naive.unanswered: needs `at_least`, `at_most` or both",
        ),
        (
            "at_least = 20",
            "at_least = 20, at_most = 19",
            "14: naive.unanswered.at_least = 20: must not exceed",
        ),
        (
            "at_least = 20",
            "at_least = -1",
            "14: naive.unanswered.at_least = -1: must be 0 or more",
        ),
        (
            "at_least = 20",
            "at_least = nan",
            "14: naive.unanswered.at_least = nan: must be 0",
        ),
        (
            "at_least = 20",
            "at_least = \"4s\"",
            "14: naive.unanswered.at_least = \"4s\": is no time",
        ),
        (
            "unanswered",
            "p99",
            "14: naive.p99.at_least = 20: give a time such as",
        ),
        (
            "unanswered",
            "error_share",
            "14: naive.error_share.at_least = 20: a share is from 0 to 1",
        ),
        (
            "at_least = 20",
            "during = \"all\"",
            "14: naive.unanswered: needs",
        ),
        (
            "over_bound = { at_most = 0",
            "lost = { at_most = 0, during = \"after\"",
            "16: resilient.lost.during = \"after\": `lost` is of the whole",
        ),
        (
            "unanswered = { at_least = 20 }",
            "time_to_open = { at_most = \"1s\" }",
            "14: naive.time_to_open: the naive side has no breaker",
        ),
    ]);
    let equal = with("at_least = 20", "at_least = 20, at_most = 20");
    assert!(parse(&equal).is_ok());
}

#[test]
fn a_file_is_named_and_one_that_cannot_be_read_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("worker-killed.toml");
    let error = Experiment::read(&path).unwrap_err().to_string();
    assert!(
        error.contains("worker-killed.toml: ") && error.contains("No such file"),
        "{error}"
    );
    std::fs::write(&path, FILE).unwrap();
    assert_eq!(Experiment::read(&path).unwrap(), parse(FILE).unwrap());
}
