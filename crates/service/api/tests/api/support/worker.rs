//! The real worker, for any test that needs one.

use std::net::SocketAddr;
use std::time::Duration;

/// The real worker, in this process.
pub(crate) fn spawn_worker(work_delay: Duration) -> SocketAddr {
    let bind = SocketAddr::from(([127, 0, 0, 1], 0));
    let settings = holdfast_worker::Settings {
        bind,
        work_delay,
        capacity: None,
        warmup: Duration::ZERO,
    };
    let worker = holdfast_worker::Application::build(settings).unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], worker.port()));
    tokio::spawn(worker.run_until_stopped(std::future::pending()));
    address
}
