//! Keys, words and types that are not those of a file.

use super::refused;

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
            "9: fault[0].target = \"db\": unknown; known are worker, database, standby, api",
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
