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

pub use client::Controller;
pub use error::LinkError;
pub use listen::Listen;
pub use server::{Links, serve};

#[derive(Debug)]
pub enum Link {
    Local(FaultProxy),
    /// In another, which heals it when this one ends.
    Remote {
        name: String,
        controller: Controller,
    },
}

impl Link {
    /// Sets the fault, in place of the one before, and returns when it is in force.
    pub async fn set(&self, fault: Fault) -> Result<(), LinkError> {
        match self {
            Self::Local(proxy) => {
                proxy.set(fault).await;
                Ok(())
            }
            Self::Remote { name, controller } => controller.ask(name, Some(fault)).await.map(drop),
        }
    }

    /// Requests seen since the link was started; see [`FaultProxy::requests`].
    pub async fn requests(&self) -> Result<u64, LinkError> {
        match self {
            Self::Local(proxy) => Ok(proxy.requests()),
            Self::Remote { name, controller } => controller.ask(name, None).await,
        }
    }
}
