//! What a file is read as, and what is refused.

mod faults;

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

/// Holds that each change is refused with a text that begins so: a line for each, `THAT => THIS => TEXT`.
fn refused(cases: &str) {
    for [that, this, expected] in table(cases) {
        let refusal = refusal(&with(&that, &this));
        assert!(refusal.starts_with(&expected), "{this}: {refusal}");
    }
}

/// What stands between the arrows of each line; `\n` is a new line.
fn table(cases: &str) -> impl Iterator<Item = [String; 3]> {
    cases.trim().lines().map(|line| {
        let parts = line.split("=>").map(|it| it.trim().replace("\\n", "\n"));
        parts.collect::<Vec<_>>().try_into().unwrap()
    })
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

#[test]
fn unknown_keys_are_refused_everywhere_with_line_and_hint() {
    refused(
        r#"
        title => titel = "x"\ntitle => 1: titel: unknown key; did you mean `title`?
        rate = 40 => rate = 40\npatiance = "5s" => 7: load.patiance: unknown key; did you mean `patience`?
        [load] => [system]\nwork_dely = "1s"\n[load] => 6: system.work_dely: unknown key; did you mean `work_delay`?
        rate = 40 => leaving = { shares = 1 }\nrate = 40 => 6: load.leaving.shares: unknown key; did you mean `share`?
        at = "3s" => at = "3s"\njiter = "1s" => 12: fault[0].jiter: unknown key; did you mean `jitter`?
        unanswered => unansweredd => 14: naive.unansweredd: unknown key; did you mean `unanswered`?
        over_bound => colour => 16: resilient.colour: unknown key; known are unanswered, unanswered_share,
        at_most => atmost => 16: resilient.over_bound.atmost: unknown key; did you mean `at_most`?
        { at_most = 0 } => [{ at_most = 0 }, { at_mots = 1 }] => 16: resilient.over_bound[1].at_mots: unknown key; did you mean `at_most`?
        "#,
    );
}

#[test]
fn unknown_words_are_refused_with_line_and_hint() {
    refused(
        r#"
        "kill" => "kil" => 10: fault[0].kind = "kil": unknown; did you mean `kill`?
        "worker" => "db" => 9: fault[0].target = "db": unknown; known are worker, database, standby, api
        rate = 40 => rate = 40\narrivals = "poison" => 7: load.arrivals = "poison": unknown; did you mean `poisson`?
        [load] => stages = ["lokal"]\n[load] => 5: stages[0] = "lokal": unknown; did you mean `local`?
        at_most = 0 => at_most = 0, during = "afer" => 16: resilient.over_bound.during = "afer": unknown; did you mean `after`?
        "#,
    );
}

#[test]
fn wrong_types_and_missing_keys_are_refused_with_their_place() {
    refused(
        r#"
        "14s" => 14 => 7: load.for = 14: invalid type: integer `14`, expected a time such as
        "14s" => "14" => 7: load.for = "14": give a time such as
        "14s" => "-14s" => 7: load.for = "-14s": give a time such as
        rate = 40\n =>  => 5: load: missing field `rate`
        at = "3s"\n =>  => 8: fault[0]: missing field `at`
        [naive]\nunanswered = { at_least = 20 }\n =>  => 1: missing field `naive`
        { at_least = 20 } => 20 => 14: naive.unanswered = 20: invalid type: integer `20`, expected a table
        at_least = 20 => at_least = true => 14: naive.unanswered.at_least = true: invalid type
        rate = 40 => rate = = 40 => 6:
        "#,
    );
}

#[test]
fn words_must_say_something_and_stages_be_named_once() {
    refused(
        r#"
        "Worker killed" => " " => 1: title = " ": must say something
        "Who falls?" => "" => 2: question = "": must say something
        "Naive." => "" => 3: prediction = "": must say something
        [load] => stages = []\n[load] => 5: stages = []: must name one
        [load] => stages = ["local", "local"]\n[load] => 5: stages = ["local", "local"]: must name each once
        [load] => stages = ["virtual"]\n[load] => 5: stages = ["virtual"]: must not name virtual
        "#,
    );
    let error = Experiment::parse(Path::new("a b.toml"), FILE).unwrap_err();
    assert!(
        error.to_string().starts_with("a b.toml:1: the file's name"),
        "{error}"
    );
}

#[test]
fn load_and_system_have_their_limits() {
    refused(
        r#"
        rate = 40 => rate = 0.09 => 6: load.rate = 0.09: must be from 0.1 to 2000
        rate = 40 => rate = 2001 => 6: load.rate = 2001: must
        rate = 40 => rate = nan => 6: load.rate = nan: must
        "14s" => "3999ms" => 7: load.for = "3999ms": must be from 4s
        "14s" => "3601s" => 7: load.for = "3601s": must be from 4s
        rate = 40 => patience = "99ms"\nrate = 40 => 6: load.patience = "99ms": must be from 100ms
        rate = 40 => leaving = { share = 1.0, after = "1s" }\nrate = 40 => 6: load.leaving.share = 1.0: must be above 0 and below 1
        rate = 40 => leaving = { share = 0.0, after = "1s" }\nrate = 40 => 6: load.leaving.share = 0.0: must be above 0
        rate = 40 => leaving = { share = 0.5, after = "5s" }\nrate = 40 => 6: load.leaving.after = "5s": must be above 0 and below load.patience
        rate = 40 => leaving = { share = 0.5, after = "0s" }\nrate = 40 => 6: load.leaving.after = "0s": must
        rate = 40 => asks_again = "5s"\nrate = 40 => 6: load.asks_again = "5s": must be above 0 and below load.patience
        [load] => [system]\nwork_delay = "11s"\n[load] => 6: system.work_delay = "11s": must be at most 10s
        "#,
    );
    for rate in ["0.1", "2000"] {
        assert!(parse(&with("40", rate)).is_ok());
    }
}

#[test]
fn limits_are_there_are_in_order_and_in_the_unit_of_their_figure() {
    refused(
        r#"
        unanswered = { at_least = 20 }\n =>  => 13: naive: must expect something
        over_bound = { at_most = 0 }\n =>  => 15: resilient: must expect something
        { at_least = 20 } => [] => 14: naive.unanswered = []: must expect something
        { at_least = 20 } => {} => 14: naive.unanswered: needs `at_least`, `at_most` or both
        at_least = 20 => at_least = 20, at_most = 19 => 14: naive.unanswered.at_least = 20: must not exceed
        at_least = 20 => at_least = -1 => 14: naive.unanswered.at_least = -1: must be 0 or more
        at_least = 20 => at_least = nan => 14: naive.unanswered.at_least = nan: must be 0
        at_least = 20 => at_least = "4s" => 14: naive.unanswered.at_least = "4s": is no time
        unanswered => p99 => 14: naive.p99.at_least = 20: give a time such as
        unanswered => error_share => 14: naive.error_share.at_least = 20: a share is from 0 to 1
        at_least = 20 => during = "all" => 14: naive.unanswered: needs
        over_bound = { at_most = 0 => lost = { at_most = 0, during = "after" => 16: resilient.lost.during = "after": `lost` is of the whole
        unanswered = { at_least = 20 } => time_to_open = { at_most = "1s" } => 14: naive.time_to_open: the naive side has no breaker
        "#,
    );
    let equal = with("at_least = 20", "at_least = 20, at_most = 20");
    assert!(parse(&equal).is_ok());
}
