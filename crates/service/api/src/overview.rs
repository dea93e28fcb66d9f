//! What the service is as those who watch it see it: `/status`, `/metrics` and the page.

use std::sync::Arc;

use holdfast_ops::Readiness;

use crate::config::Policies;
use crate::current::Current;
use crate::dependencies::Dependencies;
use crate::journal::Journal;
use crate::limit::InFlightLimit;
use crate::live::Live;
use crate::open_work::OpenWork;
use crate::recovery::Progress;
use crate::store::{SchemaWatch, Store};
use crate::worker_client::Endpoints;

/// Who has a pool of its own, as Postgres shows them after `holdfast`.
pub(crate) const POOLS: [&str; 4] = ["resilient", "reads", "recovery", "naive"];

/// Looked at, never changed through this. All parts are shared with those who work with them.
pub(crate) struct Overview {
    pub(crate) readiness: Readiness,
    pub(crate) policies: Arc<Current<Policies>>,
    pub(crate) dependencies: Dependencies,
    pub(crate) endpoints: Endpoints,
    pub(crate) schema: SchemaWatch,
    pub(crate) journal: Option<Journal>,
    pub(crate) open_work: OpenWork,
    pub(crate) recovery: Progress,
    pub(crate) live: Live,
    pub(crate) process_limit: InFlightLimit,
    pub(crate) naive_limit: InFlightLimit,
    /// In the order of [`POOLS`].
    pub(crate) pools: [Store; POOLS.len()],
}
