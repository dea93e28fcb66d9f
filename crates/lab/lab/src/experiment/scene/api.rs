//! What is called in a scene of local processes: our API, or a contender in its place.

use super::contender::ContenderProcess;
use crate::error::LabError;
use crate::experiment::trial::Sight;
use crate::stage::{Probe, ServiceProcess};

#[derive(Debug)]
pub(super) enum Api {
    Own(ServiceProcess),
    Contender(ContenderProcess),
}

impl Api {
    pub(super) fn port(&self) -> u16 {
        match self {
            Self::Own(process) => process.port(),
            Self::Contender(process) => process.port(),
        }
    }

    pub(super) fn probe(&self) -> &Probe {
        match self {
            Self::Own(process) => process.probe(),
            Self::Contender(process) => process.probe(),
        }
    }

    pub(super) async fn start(&mut self) -> Result<(), LabError> {
        match self {
            Self::Own(process) => process.start().await,
            Self::Contender(process) => process.start().await,
        }
    }

    pub(super) async fn kill(&self) -> Result<(), LabError> {
        match self {
            Self::Own(process) => process.kill().await,
            Self::Contender(process) => process.kill().await,
        }
    }

    pub(super) async fn pause(&self) -> Result<(), LabError> {
        match self {
            Self::Own(process) => process.pause().await,
            Self::Contender(process) => process.pause().await,
        }
    }

    pub(super) fn resume(&self) {
        match self {
            Self::Own(process) => process.resume(),
            Self::Contender(process) => process.resume(),
        }
    }

    /// How a contender ends when it is asked to; ours is not judged by that.
    pub(super) async fn stop(&self) -> Option<Sight> {
        match self {
            Self::Own(_) => None,
            Self::Contender(process) => Some(process.stop().await),
        }
    }
}
