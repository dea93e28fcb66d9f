//! The worker's binary.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::process::ExitCode;

use holdfast_ops::Environment;
use holdfast_ops::service::{Service, ServiceError};
use holdfast_ops::signals::StopSignals;
use holdfast_worker::{Application, Settings};

const SERVICE: Service = Service {
    name: "holdfast-worker",
    about: "The worker: GET /work takes its time and answers {\"status\":\"done\"}",
    variables: "Environment:\n  \
        HOLDFAST_BIND        where to listen [127.0.0.1:8081]\n  \
        HOLDFAST_WORK_DELAY  how long the work takes [2s]\n  \
        HOLDFAST_WORK_CAPACITY  works done at once, the rest wait in arrival order [unlimited]\n  \
        HOLDFAST_WORK_WARMUP  for how long after the start there is less of that, a tenth at first [none]\n  \
        HOLDFAST_LOG_FORMAT  json or pretty [pretty on a terminal, else json]\n  \
        OTEL_EXPORTER_OTLP_ENDPOINT  a collector's address, to which spans go [unset: none do]; the other OTEL_* as usual\n  \
        RUST_LOG             what to log [info]",
    default_bind: "127.0.0.1:8081",
};

fn main() -> ExitCode {
    SERVICE.main(serve)
}

async fn serve(environment: Environment, bind: SocketAddr) -> Result<(), ServiceError> {
    let settings = Settings::read(&environment, bind)?;
    let mut signals = StopSignals::listen().map_err(ServiceError::failed)?;
    let application = Application::build(settings)
        .map_err(|error| ServiceError::Failed(format!("cannot listen on {bind}: {error}")))?;
    tracing::info!(port = application.port(), work_delay = ?settings.work_delay, capacity = settings.capacity.map(NonZeroU32::get), "worker started");
    let stop = async {
        let signal = signals.next().await;
        tracing::info!(signal, "stopping: finishing what is under way");
    };
    application
        .run_until_stopped(stop)
        .await
        .map_err(ServiceError::failed)?;
    tracing::info!("stopped");
    Ok(())
}
