//! How the values of arguments are written.

use std::time::Duration;

pub(super) fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.01..=10_000.0).contains(&rate) => Ok(rate),
        _ => Err("give requests per second, from 0.01 to 10000".to_owned()),
    }
}

/// As everywhere in Holdfast: `30s`, `250ms`, `2m`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let signed: Option<jiff::SignedDuration> = text.parse().ok();
    signed
        .and_then(|signed| signed.try_into().ok())
        .ok_or_else(|| "give a duration such as 30s or 2m".to_owned())
}

/// A shorter run has room for a fault or two, which may all be too short to be noticed.
pub(super) fn long_enough(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        long if long >= Duration::from_secs(10) => Ok(long),
        _ => Err("give at least 10s, or too little is broken to show anything".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_needs_a_unit_and_a_rate_is_positive() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert!(duration("90").is_err() && duration("-1s").is_err());
        assert!(long_enough("9s").is_err() && long_enough("10s").is_ok());
        assert!(rate("0").is_err() && rate("inf").is_err() && rate("0.5").is_ok());
    }
}
