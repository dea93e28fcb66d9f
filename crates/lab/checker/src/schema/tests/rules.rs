//! Values that break a rule.

use std::path::Path;

use super::{FILE, parse, refused, with};
use crate::plan::Experiment;

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
        (
            "[load]",
            "stages = [\"virtual\"]\n[load]",
            "5: stages = [\"virtual\"]: must not name virtual",
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
            "rate = 40",
            "asks_again = \"5s\"\nrate = 40",
            "6: load.asks_again = \"5s\": must be above 0 and below load.patience",
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
            "14: naive.unanswered = []: must expect something",
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
