//! Exit codes, after BSD's sysexits where one fits.

use std::process::ExitCode;

/// It ran, and it failed.
#[must_use]
pub fn failure() -> ExitCode {
    ExitCode::from(1)
}

/// Bad configuration: nothing was started (`EX_USAGE`).
#[must_use]
pub fn configuration() -> ExitCode {
    ExitCode::from(64)
}
