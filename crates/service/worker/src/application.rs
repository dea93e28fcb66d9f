//! The worker as a running thing: built once, the same way, by `main` and by tests.

use std::io;
use std::pin::pin;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use holdfast_ops::Readiness;
use tokio::time::sleep;

use crate::routes::{self, Shared};
use crate::settings::Settings;

/// How long it says "not ready" before it refuses connections, so that callers can turn elsewhere.
const DRAIN_NOTICE: Duration = Duration::from_millis(500);
/// Time on top of the work delay for calls under way to finish.
const DRAIN_SLACK: Duration = Duration::from_secs(1);

/// A worker that listens but does not serve yet.
pub struct Application {
    server: Server,
    readiness: Readiness,
    port: u16,
}

impl Application {
    /// Binds and builds; must be called inside a runtime.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub fn build(settings: Settings) -> io::Result<Self> {
        let listener = holdfast_ops::listen(settings.bind)?;
        let port = listener.local_addr()?.port();
        let readiness = Readiness::default();
        let shared = Data::new(Shared::new(&settings, readiness.clone()));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(shared.clone())
                .service(routes::work)
                .service(routes::livez)
                .service(routes::readyz)
                .service(routes::exposition)
        })
        .disable_signals()
        .shutdown_timeout(
            (settings.work_delay + DRAIN_SLACK)
                .as_secs()
                .saturating_add(1),
        )
        .listen(listener)?
        .run();
        Ok(Self {
            server,
            readiness,
            port,
        })
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Serves until `stop` resolves, then turns unready, waits a moment and finishes what is under way.
    ///
    /// # Errors
    /// When the server fails.
    pub async fn run_until_stopped(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        let handle = self.server.handle();
        let drain = async {
            stop.await;
            self.readiness.drain();
            sleep(DRAIN_NOTICE).await;
            handle.stop(true).await;
        };
        let mut server = pin!(self.server);
        tokio::select! {
            served = &mut server => served,
            () = drain => server.await,
        }
    }
}
