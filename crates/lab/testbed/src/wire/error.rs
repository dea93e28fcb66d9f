//! What can go wrong between a wire and who commands it.

use std::io;
use std::net::SocketAddr;

use thiserror::Error;

/// Why a wire did not do what it was told.
#[derive(Debug, Error)]
pub enum WireError {
    /// The address it should listen on cannot be had.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The system's answer.
        source: io::Error,
    },
    /// The control connection cannot be made, or broke.
    #[error("the wire at {address} cannot be reached: {source}")]
    Unreachable {
        /// Its control address.
        address: SocketAddr,
        /// The system's answer.
        source: io::Error,
    },
    /// It said nothing for several seconds.
    #[error("the wire at {0} does not answer")]
    Silent(SocketAddr),
    /// It answered, and said no, or nothing that makes sense.
    #[error("the wire at {address} refuses: {reason}")]
    Refused {
        /// Its control address.
        address: SocketAddr,
        /// What it said.
        reason: String,
    },
}
