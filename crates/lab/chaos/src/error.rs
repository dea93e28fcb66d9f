//! What can go wrong while a system is loaded or broken.

use holdfast_checker::plan::Target;
use holdfast_system::error::SystemError;
use holdfast_testbed::link::LinkError;
use thiserror::Error;

/// Why a fault could not be put in force, or a load not be sent.
#[derive(Debug, Error)]
pub enum ChaosError {
    /// What is loaded or broken cannot be had.
    #[error(transparent)]
    System(#[from] SystemError),
    /// A fault of the link, where there is none.
    #[error("no link leads to the {0}")]
    NoLink(Target),
    /// The load's thread ended before its load.
    #[error("the load generator broke off")]
    BrokeOff,
}

impl ChaosError {
    /// What to do about it, in one line; none where the cause already says it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::System(error) => error.help(),
            Self::NoLink(_) => None,
            Self::BrokeOff => Some(BUSY.to_owned()),
        }
    }

    /// Lines of context worth showing.
    pub fn context(&self) -> &[String] {
        match self {
            Self::System(error) => error.context(),
            Self::NoLink(_) | Self::BrokeOff => &[],
        }
    }
}

/// The cure where a measurement or a load was disturbed.
pub const BUSY: &str = "look for what else keeps this machine busy, and run it again";

impl From<tokio_postgres::Error> for ChaosError {
    fn from(error: tokio_postgres::Error) -> Self {
        SystemError::from(error).into()
    }
}

impl From<LinkError> for ChaosError {
    fn from(error: LinkError) -> Self {
        SystemError::from(error).into()
    }
}
