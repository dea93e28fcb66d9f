//! What can go wrong between a link and who commands it.

use std::io;
use std::net::SocketAddr;

use thiserror::Error;

/// Why a link did not do what it was told.
#[derive(Debug, Error)]
pub enum LinkError {
    /// The address it should listen on cannot be had.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        address: SocketAddr,
        source: io::Error,
    },
    /// The control connection cannot be made, or broke.
    #[error("the link at {address} cannot be reached: {source}")]
    Unreachable {
        address: SocketAddr,
        source: io::Error,
    },
    /// It said nothing for several seconds.
    #[error("the link at {0} does not answer")]
    Silent(SocketAddr),
    /// It answered, and said no, or nothing that makes sense.
    #[error("the link at {address} refuses: {reason}")]
    Refused { address: SocketAddr, reason: String },
}
