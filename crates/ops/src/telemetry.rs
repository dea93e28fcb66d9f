//! Logs: one JSON object per line where a machine reads them, plain lines on a terminal.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::environment::{Environment, EnvironmentError};

/// Installs the process-wide subscriber. `RUST_LOG` filters; unset, everything from `info` up is shown.
///
/// # Errors
/// [`EnvironmentError::Invalid`] when `RUST_LOG` is no filter. Calling it twice keeps the first subscriber.
pub fn init(environment: &Environment) -> Result<(), EnvironmentError> {
    let directives = environment.get("RUST_LOG").unwrap_or("info");
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .parse(directives)
        .map_err(|error| EnvironmentError::Invalid {
            name: "RUST_LOG",
            value: directives.to_owned(),
            problem: error.to_string(),
        })?;
    // A full disk or a closed pipe costs the line. Told about on stderr, which is often the same file, it would cost the
    // request as well: `eprintln!` panics.
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .log_internal_errors(false);
    // A second call (tests start several services in one process) keeps the first subscriber.
    let _ = if std::io::stdout().is_terminal() {
        builder.try_init()
    } else {
        builder.json().flatten_event(true).try_init()
    };
    Ok(())
}
