//! A link that breaks on command, in this process or in a container.
//!
//! In a container it is a process of its own ([`serve`]), told what to do over a control connection. Invariant: a fault is
//! in force only as long as the control connection that set it lives. When that ends, however it ends, all links heal:
//! no fault outlives the tool that set it.

mod client;
mod conversation;
mod error;
mod listen;
mod protocol;
mod server;

use crate::proxy::{Fault, FaultProxy};

pub use client::{Controller, RemoteLink};
pub use error::LinkError;
pub use listen::Listen;
pub use server::{Links, serve};

/// A link, wherever it is.
#[derive(Debug)]
pub enum Link {
    /// In this process.
    Local(FaultProxy),
    /// In another, which heals it when this one ends.
    Remote(RemoteLink),
}

impl Link {
    /// Sets the fault, in place of the one before, and returns when it is in force.
    pub async fn set(&self, fault: Fault) -> Result<(), LinkError> {
        match self {
            Self::Local(proxy) => {
                proxy.set(fault).await;
                Ok(())
            }
            Self::Remote(link) => link.set(fault).await,
        }
    }

    /// Requests seen since the link was started; see [`FaultProxy::requests`].
    pub async fn requests(&self) -> Result<u64, LinkError> {
        match self {
            Self::Local(proxy) => Ok(proxy.requests()),
            Self::Remote(link) => link.requests().await,
        }
    }
}
