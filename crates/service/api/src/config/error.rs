//! What can be wrong with a policy file.

use std::path::PathBuf;

use holdfast_policy::ConfigError;

/// Why a policy file is refused; one line.
#[derive(Debug, thiserror::Error)]
pub enum PolicyFileError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line is no TOML, a key is unknown or a value has the wrong type.
    #[error("{place}{problem}")]
    Invalid {
        /// `line N: key: `, as far as known.
        place: String,
        /// What is wrong.
        problem: String,
    },
    /// A rule that spans several keys does not hold.
    #[error("{0}")]
    Rule(String),
    /// One policy is incoherent in itself.
    #[error(transparent)]
    Policy(#[from] ConfigError),
    /// The error is in this file.
    #[error("{}: {inner}", path.display())]
    In {
        /// The file.
        path: PathBuf,
        /// The error.
        inner: Box<PolicyFileError>,
    },
}
