//! What the worker can be told.

use std::net::SocketAddr;
use std::time::Duration;

use holdfast_ops::{Environment, EnvironmentError};

/// The course's worker sleeps this long.
const DEFAULT_WORK_DELAY: Duration = Duration::from_secs(2);

/// The worker's settings, validated.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Where to listen; port 0 takes a free one.
    pub bind: SocketAddr,
    /// How long the work takes.
    pub work_delay: Duration,
}

impl Settings {
    /// Reads `HOLDFAST_WORK_DELAY` (default `2s`).
    ///
    /// # Errors
    /// When it is no duration.
    pub fn read(environment: &Environment, bind: SocketAddr) -> Result<Self, EnvironmentError> {
        let work_delay = environment.duration("HOLDFAST_WORK_DELAY", DEFAULT_WORK_DELAY)?;
        Ok(Self { bind, work_delay })
    }
}
