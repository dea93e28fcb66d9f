//! The keys of `[POLICY.hedge]`: what is read, and what is refused with which words.

use holdfast_policy::{HedgeConfig, HedgeDelay, PolicyConfig};

use crate::support::ms;

#[test]
fn a_hedge_comes_after_a_percentile_or_a_time() {
    for (text, after) in [
        ("p99", HedgeDelay::Percentile(99)),
        ("200ms", HedgeDelay::Fixed(ms(200))),
    ] {
        let text = format!("[hedge]\nafter = \"{text}\"");
        let config: PolicyConfig = toml::from_str(&text).unwrap();
        assert_eq!(config.hedge.as_ref().unwrap().after, after);
        let written = toml::to_string(&config).unwrap();
        assert_eq!(toml::from_str::<PolicyConfig>(&written).unwrap(), config);
    }
    let error = toml::from_str::<PolicyConfig>("[hedge]\nafter = \"soon\"").unwrap_err();
    assert!(error.to_string().contains("a percentile such as \"p95\""));
}

type Change = fn(&mut HedgeConfig);

/// What is wrong, and the line that says so.
const INCOHERENT: &[(Change, &str)] = &[
    (
        |c| c.after = HedgeDelay::Percentile(20),
        "worker.hedge.after = p20: must be a percentile from p50 to p99",
    ),
    (
        |c| c.after = HedgeDelay::Fixed(ms(1_000)),
        "worker.hedge.after = 1s: must be below attempt_timeout (1s), or no attempt is ever out for so long",
    ),
    (
        |c| c.min_delay = ms(2_000),
        "worker.hedge.min_delay = 2s: must be below attempt_timeout (1s), or no attempt is ever out for so long",
    ),
    (
        |c| c.minimum_calls = 501,
        "worker.hedge.minimum_calls = 501: must be at most 500",
    ),
];

#[test]
fn a_hedge_that_never_comes_or_always_is_refused() {
    for (change, line) in INCOHERENT {
        let mut hedge = HedgeConfig::default();
        change(&mut hedge);
        let config = PolicyConfig {
            hedge: Some(hedge),
            ..PolicyConfig::default()
        };
        let error = config.validate("worker").unwrap_err();
        assert_eq!(error.to_string(), *line);
    }
}
