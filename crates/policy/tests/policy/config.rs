//! The configuration: what is read, and what is refused with which words.

use holdfast_policy::{ConfigError, HedgeConfig, Policy, PolicyConfig, Window};

use crate::support::{Settings, config, ms};

const WORKER: &str = r#"
attempt_timeout = "2600ms"
deadline = "5500ms"
idempotent = true
retry    = { max_attempts = 3, backoff = { initial = "100ms", max = "1s", multiplier = 2.0 }, budget = { ratio = 0.1, floor_per_second = 1.0 } }
breaker  = { window = "10s", minimum_calls = 5, failure_rate = 0.5, slow_call = "2400ms", slow_call_rate = 0.8, consecutive_failures = 3, open_for = "5s", max_open_for = "30s", half_open_calls = 2, ramp = "3s" }
bulkhead = { max_concurrent = 640, max_waiting = 0, max_wait = "0ms" }
"#;

#[test]
fn an_operators_file_is_read() {
    let config: PolicyConfig = toml::from_str(WORKER).unwrap();
    assert_eq!(config.validate("worker"), Ok(()));
    assert_eq!(
        (config.attempt_timeout, config.deadline),
        (Some(ms(2_600)), ms(5_500))
    );
    assert_eq!(config.breaker.unwrap().window, Window::Time(ms(10_000)));
    assert_eq!(config.bulkhead.unwrap().max_wait, ms(0));
}

#[test]
fn what_is_written_is_read_back_the_same() {
    for window in [Window::Time(ms(10_000)), Window::Calls(100)] {
        let mut config = config();
        config.breaker.window = window;
        let config = PolicyConfig::from(config);
        let text = toml::to_string(&config).unwrap();
        assert_eq!(
            toml::from_str::<PolicyConfig>(&text).unwrap(),
            config,
            "{text}"
        );
    }
}

#[test]
fn every_key_has_a_default_and_every_policy_but_the_deadline_can_be_left_out() {
    let defaults: PolicyConfig = toml::from_str("").unwrap();
    assert_eq!(defaults, PolicyConfig::default());
    let partly: PolicyConfig = toml::from_str("[retry]\nmax_attempts = 7").unwrap();
    assert_eq!(partly.retry.unwrap().budget.ratio, 0.1);
    let hedged: PolicyConfig = toml::from_str("hedge = true").unwrap();
    assert_eq!(hedged.hedge, Some(HedgeConfig::default()));
    let bare =
        "attempt_timeout = false\nretry = false\nhedge = false\nbreaker = false\nbulkhead = false";
    let bare: PolicyConfig = toml::from_str(bare).unwrap();
    assert_eq!(bare.validate("bare"), Ok(()));
    assert_eq!((&bare.attempt_timeout, &bare.retry), (&None, &None));
    assert_eq!((&bare.breaker, &bare.bulkhead), (&None, &None));
    let text = toml::to_string(&bare).unwrap();
    assert_eq!(toml::from_str::<PolicyConfig>(&text).unwrap(), bare);
}

#[test]
fn the_presets_are_coherent() {
    for preset in [
        PolicyConfig::default(),
        PolicyConfig::http_call(),
        PolicyConfig::database_statement(),
    ] {
        assert_eq!(preset.validate("preset"), Ok(()));
    }
}

#[test]
fn a_breaker_that_could_not_see_a_hang_is_refused() {
    let config: PolicyConfig = toml::from_str("attempt_timeout = false").unwrap();
    let error = config.validate("worker").unwrap_err();
    assert_eq!(error.key(), "worker.breaker.slow_call");
}

#[test]
fn a_window_may_be_a_number_of_calls() {
    let text = WORKER.replace(r#"window = "10s""#, "window = 100");
    let config: PolicyConfig = toml::from_str(&text).unwrap();
    assert_eq!(config.breaker.unwrap().window, Window::Calls(100));
}

#[test]
fn unknown_and_malformed_keys_are_refused() {
    for (from, to, expected) in [
        (
            "idempotent = true",
            "idempotent = true\ncolour = \"red\"",
            "unknown field `colour`",
        ),
        (
            "bulkhead = {",
            "bulkhead = \"off\"\nretry2 = {",
            "a table, or false to leave it out",
        ),
        ("half_open_calls = 2, ", "half_open = 2, ", "unknown field"),
        ("\"2600ms\"", "true", "or false to leave it out"),
        ("\"5500ms\"", "\"5500 bananas\"", "bananas"),
        ("\"5500ms\"", "5500", "invalid type"),
        ("\"5500ms\"", "\"-1s\"", "deadline"),
        (
            "window = \"10s\"",
            "window = \"soon\"",
            "a duration such as \"10s\"",
        ),
        (
            "window = \"10s\"",
            "window = -5",
            "or a number of calls such as 100",
        ),
        ("max_attempts = 3", "max_attempts = -1", "invalid value"),
    ] {
        let error = toml::from_str::<PolicyConfig>(&WORKER.replace(from, to)).unwrap_err();
        assert!(error.to_string().contains(expected), "{to}: {error}");
    }
}

type Change = fn(&mut Settings);

/// What is wrong, and the line that says so.
const INCOHERENT: &[(Change, &str)] = &[
    (
        |c| c.attempt_timeout = ms(0),
        "worker.attempt_timeout = 0s: must be at least 1ms",
    ),
    (
        |c| c.deadline = ms(0),
        "worker.deadline = 0s: must be at least 1ms",
    ),
    (
        |c| c.attempt_timeout = ms(5_001),
        "worker.attempt_timeout = 5001ms: must not be above deadline (5s), or no attempt ever has time to end",
    ),
    (
        |c| c.deadline = ms(90_000_000),
        "worker.deadline = 90000s: must be at most 24h",
    ),
    (
        |c| c.retry.max_attempts = 0,
        "worker.retry.max_attempts = 0: must be at least 1",
    ),
    (
        |c| c.retry.max_attempts = 101,
        "worker.retry.max_attempts = 101: must be at most 100",
    ),
    (
        |c| c.retry.backoff.initial = ms(2_000),
        "worker.retry.backoff.initial = 2s: must not be above max (1s)",
    ),
    (
        |c| c.retry.backoff.multiplier = 0.5,
        "worker.retry.backoff.multiplier = 0.5: must be a number from 1 to 100",
    ),
    (
        |c| c.retry.backoff.multiplier = f64::NAN,
        "worker.retry.backoff.multiplier = NaN: must be a number from 1 to 100",
    ),
    (
        |c| c.retry.backoff.multiplier = f64::INFINITY,
        "worker.retry.backoff.multiplier = inf: must be a number from 1 to 100",
    ),
    (
        |c| c.retry.budget.ratio = 1.5,
        "worker.retry.budget.ratio = 1.5: must be a number from 0 to 1",
    ),
    (
        |c| c.retry.budget.floor_per_second = -1.0,
        "worker.retry.budget.floor_per_second = -1: must be a number from 0 to 1000",
    ),
    (
        |c| c.breaker.window = Window::Time(ms(900)),
        "worker.breaker.window = 900ms: must not be shorter than attempt_timeout (1s)",
    ),
    (
        |c| c.breaker.window = Window::Calls(4),
        "worker.breaker.minimum_calls = 5: a window of 4 calls never holds so many",
    ),
    (
        |c| c.breaker.window = Window::Calls(0),
        "worker.breaker.window = 0: must be at least 1",
    ),
    (
        |c| c.breaker.minimum_calls = 0,
        "worker.breaker.minimum_calls = 0: must be at least 1",
    ),
    (
        |c| c.breaker.failure_rate = 0.0,
        "worker.breaker.failure_rate = 0: must be above 0 and at most 1",
    ),
    (
        |c| c.breaker.slow_call_rate = Some(1.1),
        "worker.breaker.slow_call_rate = 1.1: must be above 0 and at most 1",
    ),
    (
        |c| c.breaker.failure_rate = f64::NAN,
        "worker.breaker.failure_rate = NaN: must be above 0 and at most 1",
    ),
    (
        |c| {
            c.retry.max_attempts = 2;
            c.retry.budget.ratio = 0.0;
            c.retry.budget.floor_per_second = 0.05;
        },
        "worker.retry.budget.floor_per_second = 0.05: with a ratio of 0 must be at least 0.1, or no token is ever whole; to have no retries, set max_attempts to 1",
    ),
    (
        |c| c.breaker.slow_call_rate = None,
        "worker.breaker.slow_call = 500ms: needs slow_call_rate: nothing else looks at it",
    ),
    (
        |c| c.breaker.slow_call = None,
        "worker.breaker.slow_call_rate = 0.8: needs slow_call, which says what is slow",
    ),
    (
        |c| c.breaker.slow_call = Some(ms(1_001)),
        "worker.breaker.slow_call = 1001ms: must not be above attempt_timeout (1s): none would be seen",
    ),
    (
        |c| c.breaker.consecutive_failures = 0,
        "worker.breaker.consecutive_failures = 0: must be at least 1",
    ),
    (
        |c| c.breaker.open_for = ms(31_000),
        "worker.breaker.open_for = 31s: must not be above max_open_for (30s)",
    ),
    (
        |c| c.breaker.half_open_calls = 0,
        "worker.breaker.half_open_calls = 0: must be at least 1",
    ),
    (
        |c| c.breaker.ramp = ms(3_001),
        "worker.breaker.ramp = 3001ms: must be at most 3s",
    ),
    (
        |c| c.bulkhead.max_concurrent = 0,
        "worker.bulkhead.max_concurrent = 0: must be at least 1",
    ),
    (
        |c| c.bulkhead.max_concurrent = u32::MAX,
        "worker.bulkhead.max_concurrent = 4294967295: must be at most 1000000",
    ),
    (
        |c| c.bulkhead.max_waiting = 1,
        "worker.bulkhead.max_wait = 0s: max_waiting is 1: have both zero (refuse at once) or both above zero (queue)",
    ),
    (
        |c| {
            c.bulkhead.max_waiting = 1;
            c.bulkhead.max_wait = ms(4_001);
        },
        "worker.bulkhead.max_wait = 4001ms: must not be above deadline less attempt_timeout (4s)",
    ),
];

#[test]
fn an_incoherent_configuration_is_refused_naming_key_value_and_rule() {
    for (change, expected) in INCOHERENT {
        let mut config = config();
        change(&mut config);
        let config = PolicyConfig::from(config);
        let error = config.validate("worker").unwrap_err();
        assert_eq!(error.to_string(), *expected);
        assert_eq!(
            Policy::builder("worker", config).build().unwrap_err(),
            error
        );
    }
}

#[test]
fn rules_that_span_policies_can_use_the_same_error() {
    let error = ConfigError::new("process.max_in_flight", "512", "must be at most 100");
    assert_eq!(
        error.to_string(),
        "process.max_in_flight = 512: must be at most 100"
    );
    assert_eq!(
        (error.key(), error.value()),
        ("process.max_in_flight", "512")
    );
    assert_eq!(error.rule(), "must be at most 100");
}
