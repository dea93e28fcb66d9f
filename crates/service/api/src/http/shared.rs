//! What the handlers share: built once per process, outside the per-thread application factory. Each handler takes the part
//! that it needs.

use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};
use holdfast_ops::Readiness;

use super::dashboard::Feed;
use super::operator::OperatorRoutes;
use super::process::ProcessRoute;
use super::requests::RequestRoutes;
use crate::config::AllowedHosts;
use crate::metrics::Metrics;
use crate::naive::Naive;
use crate::overview::Overview;
use crate::reload::Reload;

/// One part for each kind of route. Clones share them.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) process: Arc<ProcessRoute>,
    pub(crate) naive: Arc<Naive>,
    pub(crate) requests: Arc<RequestRoutes>,
    pub(crate) operator: Arc<OperatorRoutes>,
    pub(crate) reload: Arc<Reload>,
    pub(crate) overview: Arc<Overview>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) feed: Arc<Feed>,
    pub(crate) readiness: Arc<Readiness>,
    pub(crate) allowed_hosts: Arc<AllowedHosts>,
}

impl Shared {
    /// Hands them to one thread's application.
    pub(crate) fn register(&self, config: &mut ServiceConfig) {
        config
            .app_data(Data::from(self.process.clone()))
            .app_data(Data::from(self.naive.clone()))
            .app_data(Data::from(self.requests.clone()))
            .app_data(Data::from(self.operator.clone()))
            .app_data(Data::from(self.reload.clone()))
            .app_data(Data::from(self.overview.clone()))
            .app_data(Data::from(self.metrics.clone()))
            .app_data(Data::from(self.feed.clone()))
            .app_data(Data::from(self.readiness.clone()))
            .app_data(Data::from(self.allowed_hosts.clone()));
    }
}
