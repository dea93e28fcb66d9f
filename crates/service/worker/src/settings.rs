//! What the worker can be told.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use holdfast_ops::{Environment, EnvironmentError};

/// The course's worker sleeps this long.
const DEFAULT_WORK_DELAY: Duration = Duration::from_secs(2);

const WARMUP: &str = "HOLDFAST_WORK_WARMUP";

/// The worker's settings, validated.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Where to listen; port 0 takes a free one.
    pub bind: SocketAddr,
    /// How long the work takes.
    pub work_delay: Duration,
    /// Works done at once, the rest wait in arrival order; `None`: as many as arrive.
    pub capacity: Option<NonZeroU32>,
    /// For how long after its start it has less of the capacity: a tenth to begin with, then more in equal steps. Zero: all
    /// at once. As a service does whose caches are empty and whose code is not compiled yet.
    pub warmup: Duration,
}

impl Settings {
    /// Reads `HOLDFAST_WORK_DELAY` (default `2s`), `HOLDFAST_WORK_CAPACITY` (default: unlimited) and `HOLDFAST_WORK_WARMUP`
    /// (default: none).
    ///
    /// # Errors
    /// When a duration is none, the capacity no number above zero, or there is a warm-up and no capacity.
    pub fn read(environment: &Environment, bind: SocketAddr) -> Result<Self, EnvironmentError> {
        let work_delay = environment.duration("HOLDFAST_WORK_DELAY", DEFAULT_WORK_DELAY)?;
        let capacity = capacity(environment)?;
        let warmup = environment.duration(WARMUP, Duration::ZERO)?;
        if capacity.is_none() && !warmup.is_zero() {
            return Err(EnvironmentError::Invalid {
                name: WARMUP,
                value: environment.get(WARMUP).unwrap_or_default().to_owned(),
                problem: "set HOLDFAST_WORK_CAPACITY too, of which there is less at first"
                    .to_owned(),
            });
        }
        Ok(Self {
            bind,
            work_delay,
            capacity,
            warmup,
        })
    }
}

fn capacity(environment: &Environment) -> Result<Option<NonZeroU32>, EnvironmentError> {
    let name = "HOLDFAST_WORK_CAPACITY";
    let parse = |text: &str| {
        text.parse().map_err(|_| EnvironmentError::Invalid {
            name,
            value: text.to_owned(),
            problem: "give a whole number above zero, or leave it unset: unlimited".to_owned(),
        })
    };
    environment.get(name).map(parse).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacity_is_a_number_above_zero_or_unlimited() {
        let read = |value| {
            let environment = Environment::from([("HOLDFAST_WORK_CAPACITY", value)]);
            Settings::read(&environment, SocketAddr::from(([127, 0, 0, 1], 0)))
        };
        assert_eq!(read("3").unwrap().capacity, NonZeroU32::new(3));
        assert_eq!(read("").unwrap().capacity, None);
        for value in ["0", "-1", "many"] {
            let refusal = read(value).unwrap_err().to_string();
            assert!(refusal.starts_with("HOLDFAST_WORK_CAPACITY="), "{refusal}");
        }
    }

    #[test]
    fn a_warmup_needs_a_capacity() {
        let read = |capacity| {
            let warmup = ("HOLDFAST_WORK_WARMUP", "4s");
            let environment = Environment::from([warmup, ("HOLDFAST_WORK_CAPACITY", capacity)]);
            Settings::read(&environment, SocketAddr::from(([127, 0, 0, 1], 0)))
        };
        assert_eq!(read("3").unwrap().warmup, Duration::from_secs(4));
        assert_eq!(
            read("").unwrap_err().to_string(),
            "HOLDFAST_WORK_WARMUP=\"4s\": set HOLDFAST_WORK_CAPACITY too, of which there is less at first"
        );
    }
}
