//! The API as a running thing: built once, the same way, by `main` and by tests.

use std::io;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::dev::Server;
use holdfast_ops::Readiness;
use tokio::time::{Instant, sleep, timeout_at};

use crate::assembly::{self, Assembled, AssemblyError};
use crate::background::Background;
use crate::config::Settings;
use crate::http::{Shared, routes, serve};
use crate::recovery::Progress;

/// How long it says "not ready" before it refuses connections, so that load balancers can turn elsewhere.
const DRAIN_NOTICE: Duration = Duration::from_millis(500);
/// For answers to be written when the bound is used up.
const DRAIN_SLACK: Duration = Duration::from_secs(1);
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
    shared: Shared,
    background: Background,
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
        let Assembled { shared, background } = assembly::assemble(settings)?;
        let served = shared.clone();
        let server = serve(listener, drain_limit, move |config| {
            served.register(config);
            routes(config);
        })
        .map_err(bind)?;
        Ok(Self {
            server,
            shared,
            background,
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
        let reload = Arc::clone(&self.shared.reload);
        move || reload.run()
    }

    /// Its readiness, for those who drain it.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        Readiness::clone(&self.shared.readiness)
    }

    /// Serves until `stop` resolves, then turns unready, waits a moment and finishes what is under way.
    ///
    /// # Errors
    /// When the server fails.
    pub async fn run_until_stopped(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        let shared = self.shared;
        let mut background = self.background.spawn();
        let handle = self.server.handle();
        // Until when work that is under way may take; from the beginning of the stop.
        let over = OnceLock::new();
        let drain = async {
            stop.await;
            shared.readiness.drain();
            sleep(DRAIN_NOTICE).await;
            // Both within the bound: calls of clients, and work that recovery has in hand. Only naive calls may hang
            // longer, and they are cut.
            let over = *over.get_or_init(|| Instant::now() + shared.reload.longest_bound());
            let under_way = timeout_at(over + DRAIN_SLACK, handle.stop(true));
            let at_rest = timeout_at(over, at_rest(&shared.overview.recovery));
            let (drained, _) = tokio::join!(under_way, at_rest);
            drained.is_ok()
        };
        let mut server = pin!(self.server);
        tokio::select! {
            // With nobody connected it ends at once; recovery may have work in hand all the same.
            served = &mut server => {
                if let Some(over) = over.get() {
                    let _ = timeout_at(*over, at_rest(&shared.overview.recovery)).await;
                }
                served
            }
            // They run for ever: without them nothing is recovered, metrics grow and the count of open work is a lie.
            ended = background.join_next() => Err(io::Error::other(format!("a background task ended: {ended:?}"))),
            // What is not drained by then goes with the process.
            drained = drain => if drained { server.await } else { Ok(()) },
        }
    }
}

/// Until recovery has nothing in hand. What it leaves behind its lease gives back.
async fn at_rest(recovery: &Progress) {
    while recovery.in_flight() > 0 {
        sleep(POLL_INTERVAL).await;
    }
}
