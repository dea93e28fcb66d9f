//! A part as a process: a service, also where a contender is in the place of ours, or Postgres.

use holdfast_checker::trial::Observation;

use crate::error::SystemError;
use crate::postgres::Cluster;
use crate::stage::ServiceProcess;

#[derive(Debug)]
pub(super) enum Process {
    Service(ServiceProcess),
    Db(Cluster),
}

impl Process {
    pub(super) fn port(&self) -> u16 {
        match self {
            Self::Service(process) => process.port,
            Self::Db(cluster) => cluster.port(),
        }
    }

    pub(super) async fn start(&mut self) -> Result<(), SystemError> {
        match self {
            Self::Service(process) => process.start().await,
            Self::Db(cluster) => Ok(cluster.start_again().await?),
        }
    }

    pub(super) async fn kill(&self) -> Result<(), SystemError> {
        match self {
            Self::Service(process) => process.kill().await,
            Self::Db(cluster) => Ok(cluster.kill().await?),
        }
    }

    pub(super) async fn pause(&self) -> Result<(), SystemError> {
        match self {
            Self::Service(process) => process.pause().await,
            Self::Db(cluster) => Ok(cluster.pause().await?),
        }
    }

    pub(super) fn resume(&self) {
        match self {
            Self::Service(process) => process.resume(),
            Self::Db(cluster) => cluster.resume(),
        }
    }

    /// How a contender ends when it is asked to; what is ours is not judged by that.
    pub(super) async fn stop(&self) -> Option<Observation> {
        match self {
            Self::Service(process) if self.is_contender() => Some(process.stop().await),
            Self::Service(_) | Self::Db(_) => None,
        }
    }

    pub(super) fn is_contender(&self) -> bool {
        matches!(self, Self::Service(process) if process.contender.is_some())
    }
}
