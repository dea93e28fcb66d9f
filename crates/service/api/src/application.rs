//! The API as a running thing: built once, the same way, by `main` and by tests.

use std::io;
use std::pin::pin;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::web::Data;
use holdfast_ops::Readiness;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::assembly::{self, AssemblyError};
use crate::config::Settings;
use crate::http::{Feed, keep_feeding, routes, serve};
use crate::recovery::Recovery;
use crate::state::State;
use crate::store::{Store, Wanted};
use crate::worker_client::Endpoints;

/// How long it says "not ready" before it refuses connections, so that load balancers can turn elsewhere.
const DRAIN_NOTICE: Duration = Duration::from_millis(500);
/// For answers to be written when the bound is used up.
const DRAIN_SLACK: Duration = Duration::from_secs(1);
const UPKEEP_PERIOD: Duration = Duration::from_secs(5);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Why the API cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be bound.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address.
        address: std::net::SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A part cannot be built.
    #[error(transparent)]
    Assembly(#[from] AssemblyError),
}

impl StartError {
    /// Whether it is a matter of configuration.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        matches!(self, Self::Assembly(AssemblyError::Journal(_)))
    }
}

/// An API that listens but does not serve yet.
pub struct Application {
    server: Server,
    state: Data<State>,
    feed: Data<Feed>,
    recovery: Recovery<Store, Endpoints>,
    port: u16,
}

impl Application {
    /// Binds and builds; must be called inside the runtime that outlives it. Neither the worker nor Postgres need be
    /// there.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn build(settings: Settings) -> Result<Self, StartError> {
        let address = settings.bind;
        let bind = |source| StartError::Bind { address, source };
        let listener = holdfast_ops::listen(address).map_err(bind)?;
        let port = listener.local_addr().map_err(bind)?.port();
        // At least the bound, whatever the policy file says when it is read again: so the rules of the file have it.
        let drain_limit = settings.policies.policies.recovery.lease;
        let hosts = Data::new(settings.allowed_hosts.clone());
        let (state, recovery) = assembly::assemble(settings)?;
        let state = Data::new(state);
        let feed = Data::new(Feed::new());
        let (shared, streams) = (state.clone(), feed.clone());
        let server = serve(listener, drain_limit, move |config| {
            config
                .app_data(shared.clone())
                .app_data(streams.clone())
                .app_data(hosts.clone());
            routes(config);
        })
        .map_err(bind)?;
        Ok(Self {
            server,
            state,
            feed,
            recovery,
            port,
        })
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Reads the policy file again whenever it is called. Blocks on the disk.
    pub fn reload(&self) -> impl Fn() + Send + Clone + 'static {
        let state = Data::clone(&self.state);
        move || state.reload.run()
    }

    /// Its readiness, for those who drain it.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        self.state.readiness.clone()
    }

    /// Serves until `stop` resolves, then turns unready, waits a moment and finishes what is under way.
    ///
    /// # Errors
    /// When the server fails.
    pub async fn run_until_stopped(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        // Background work runs here, on the caller's runtime: on an HTTP thread's it would end with that thread.
        let mut background = background(&self.state, self.feed, self.recovery);
        let handle = self.server.handle();
        let drain = async {
            stop.await;
            self.state.readiness.drain();
            sleep(DRAIN_NOTICE).await;
            // Both within the bound: calls of clients, and work that recovery has in hand. Only naive calls may hang
            // longer, and they are cut.
            let limit = self.state.policies.get().worst_case() + DRAIN_SLACK;
            let under_way = timeout(limit, handle.stop(true));
            let (drained, ()) = tokio::join!(under_way, recovery_at_rest(&self.state));
            drained.is_ok()
        };
        let mut server = pin!(self.server);
        tokio::select! {
            served = &mut server => served,
            // They run for ever: without them nothing is recovered, metrics grow and the count of open work is a lie.
            ended = background.join_next() => Err(io::Error::other(format!("a background task ended: {ended:?}"))),
            // What is not drained by then goes with the process.
            drained = drain => if drained { server.await } else { Ok(()) },
        }
    }
}

/// Until recovery has nothing in hand, or would not end. What it leaves behind its lease gives back.
async fn recovery_at_rest(state: &State) {
    let limit = state.policies.get().worst_case();
    let at_rest = async {
        while state.recovery.in_flight() > 0 {
            sleep(POLL_INTERVAL).await;
        }
    };
    let _ = timeout(limit, at_rest).await;
}

/// Tasks that end when the set is dropped.
fn background(
    state: &Data<State>,
    feed: Data<Feed>,
    recovery: Recovery<Store, Endpoints>,
) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let reads = state.records.reads.clone();
    tasks.spawn(
        state
            .open_work
            .clone()
            .keep_counting(async move || reads.count_open().await),
    );
    tasks.spawn(
        state
            .schema
            .clone()
            .keep_current(state.schema_store.clone()),
    );
    let wanted = Wanted::by(&state.policies.get().database.pool);
    tasks.spawn(wanted.keep_comparing(state.schema_store.clone()));
    tasks.spawn(recovery.run(state.readiness.clone()));
    let (looks, reads) = (state.records.reads.clone(), state.records.reads.clone());
    tasks.spawn(state.ends.clone().keep_looking(
        state.readiness.clone(),
        async move |since| looks.ended(since).await.ok(),
        async move |ids| reads.find_all(ids).await.ok(),
    ));
    let worker = state.dependencies.worker.clone();
    tasks.spawn(
        state
            .operator
            .clone()
            .keep_requeueing(state.readiness.clone(), move || worker.may_call()),
    );
    tasks.spawn(keep_feeding(state.clone(), feed));
    let metrics = state.metrics.clone();
    tasks.spawn(async move {
        loop {
            sleep(UPKEEP_PERIOD).await;
            metrics.run_upkeep();
        }
    });
    tasks
}
