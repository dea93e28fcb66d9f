//! A wire that breaks on command, in this process or in a container.
//!
//! In a container it is a process of its own ([`serve`]), told what to do over a control connection. Invariant: a fault is
//! in force only as long as the control connection that set it lives. When that ends, however it ends, all wires heal:
//! no fault outlives the tool that set it.

mod client;
mod conversation;
mod error;
mod listen;
mod protocol;
mod server;

use crate::proxy::{Fault, FaultProxy};

pub use client::{Controller, RemoteWire};
pub use error::WireError;
pub use listen::Listen;
pub use server::{Wires, serve};

/// A wire, wherever it is.
#[derive(Debug)]
pub enum Wire {
    /// In this process.
    Local(FaultProxy),
    /// In another, which heals it when this one ends.
    Remote(RemoteWire),
}

impl Wire {
    /// Sets the fault, in place of the one before, and returns when it is in force.
    ///
    /// # Errors
    /// Of a remote wire only: when its process cannot be reached, or refuses.
    pub async fn set(&self, fault: Fault) -> Result<(), WireError> {
        match self {
            Self::Local(proxy) => {
                proxy.set(fault).await;
                Ok(())
            }
            Self::Remote(wire) => wire.set(fault).await,
        }
    }

    /// Requests seen since the wire was started; see [`FaultProxy::requests`].
    ///
    /// # Errors
    /// Of a remote wire only: when its process cannot be reached.
    pub async fn requests(&self) -> Result<u64, WireError> {
        match self {
            Self::Local(proxy) => Ok(proxy.requests()),
            Self::Remote(wire) => wire.requests().await,
        }
    }
}
