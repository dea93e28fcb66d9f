//! What the handlers share: built once per process, outside the per-thread application factory.

use std::sync::Arc;

use holdfast_ops::Readiness;
use tokio::runtime::Handle;

use crate::config::{AdminToken, Policies};
use crate::current::Current;
use crate::dependencies::Dependencies;
use crate::ends::Ends;
use crate::journal::Journal;
use crate::limit::InFlightLimit;
use crate::live::Live;
use crate::metrics::{Metrics, POOLS};
use crate::naive::Naive;
use crate::open_work::OpenWork;
use crate::operator::Operator;
use crate::process::Process;
use crate::rate_limit::RateLimit;
use crate::records::Records;
use crate::recovery::Progress;
use crate::reload::Reload;
use crate::store::{LiveStore, SchemaWatch, Store};
use crate::worker_client::{Endpoints, ResilientWorker};

/// Everything a handler may need.
pub(crate) struct State {
    pub(crate) policies: Arc<Current<Policies>>,
    pub(crate) reload: Reload,
    pub(crate) readiness: Readiness,
    pub(crate) metrics: Metrics,
    pub(crate) live: Live,
    pub(crate) dependencies: Dependencies,
    pub(crate) endpoints: Endpoints,
    pub(crate) journal: Option<Journal>,
    pub(crate) recovery: Progress,
    /// Where the calls of clients are handled, whichever thread has their connection.
    pub(crate) runtime: Handle,
    pub(crate) process: Arc<Process<LiveStore<Store>, ResilientWorker<Endpoints>>>,
    pub(crate) process_limit: InFlightLimit,
    /// `None`: clients are not told apart.
    pub(crate) rate_limit: Arc<Current<Option<RateLimit>>>,
    pub(crate) body_limit: InFlightLimit,
    pub(crate) naive: Naive,
    pub(crate) naive_limit: InFlightLimit,
    pub(crate) records: Records,
    pub(crate) ends: Ends,
    pub(crate) operator: Operator,
    pub(crate) admin_token: Option<AdminToken>,
    pub(crate) open_work: OpenWork,
    pub(crate) schema: SchemaWatch,
    /// For the watch over the schema.
    pub(crate) schema_store: Store,
    /// For those who ask how full its pool is, in the order of [`POOLS`].
    pub(crate) pools: [Store; POOLS.len()],
}
