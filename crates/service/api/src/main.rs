//! The API's binary.

use std::ffi::OsString;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use holdfast_api::{Application, MigrateError, SetAside, Settings, journal_folder};
use holdfast_ops::Environment;
use holdfast_ops::service::{Service, ServiceError};
use holdfast_ops::signals::StopSignals;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::Notify;
use tokio::task::spawn_blocking;

/// Requests are received on one thread and worked on by another, which frees much of what the former allocated: this one
/// takes a fifth less time for that than the C library's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SERVICE: Service = Service {
    name: "holdfast-api",
    about: "The API: /naive/process falls with its dependencies, /process holds",
    variables: "Also: holdfast-api migrate\n  \
        brings the schema of DATABASE_URL up to date, as its tables' owner; the API does so itself where it may\n\n\
        Also: holdfast-api journal set-aside\n  \
        moves a journal away that cannot be read, and says what may be lost; the API must be stopped\n\n\
        Environment:\n  \
        HOLDFAST_BIND        where to listen [127.0.0.1:8080]\n  \
        HOLDFAST_ALLOWED_HOSTS the names it answers under, between commas; * for any [on loopback its names, else any]
  \
        HOLDFAST_ADMIN_TOKEN what operators show to retry and cancel requests [unset: nobody may]\n  \
        HOLDFAST_WORKER_URL  the worker's address, such as http://127.0.0.1:8081 (required)\n  \
        HOLDFAST_WORKER_CA   certificates of the authority that proves an https worker [the system's]\n  \
        DATABASE_URL         how to reach Postgres, such as postgres://user:password@host/db (required)\n  \
        HOLDFAST_POLICIES    a policy file, laid over the built-in defaults; read again at SIGHUP\n  \
        HOLDFAST_JOURNAL_DIR this replica's own folder for its journal; must survive restarts [holdfast-journal]\n  \
        HOLDFAST_OBSERVE     off: what the policies do is neither counted nor traced, to measure what that costs [on]\n  \
        HOLDFAST_LOG_FORMAT  json or pretty [pretty on a terminal, else json]\n  \
        OTEL_EXPORTER_OTLP_ENDPOINT  a collector's address, to which spans go [unset: none do]; the other OTEL_* as usual\n  \
        RUST_LOG             what to log [info]",
    default_bind: "127.0.0.1:8080",
};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    if arguments == ["journal", "set-aside"] {
        return once(set_journal_aside);
    }
    if arguments == ["migrate"] {
        return once(migrate);
    }
    SERVICE.main(serve)
}

/// Does what an operator asks for, and says how it went.
fn once(task: fn(&Environment) -> Result<String, ServiceError>) -> ExitCode {
    let environment = Environment::of_service().map_err(ServiceError::from);
    // Nobody is left to tell if writing fails.
    match environment.and_then(|environment| task(&environment)) {
        Ok(line) => {
            let _ = writeln!(std::io::stdout(), "{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{}: {error}", SERVICE.name);
            error.into()
        }
    }
}

/// The API must not run meanwhile.
fn set_journal_aside(environment: &Environment) -> Result<String, ServiceError> {
    let aside = SetAside::in_folder(&journal_folder(environment));
    Ok(aside.map_err(ServiceError::failed)?.report())
}

/// As the owner of the tables.
fn migrate(environment: &Environment) -> Result<String, ServiceError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(ServiceError::failed)?;
    match runtime.block_on(holdfast_api::migrate(environment)) {
        Ok(()) => Ok("the schema is current".to_owned()),
        Err(MigrateError::Environment(error)) => Err(error.into()),
        Err(error) => Err(ServiceError::failed(error)),
    }
}

async fn serve(environment: Environment, bind: SocketAddr) -> Result<(), ServiceError> {
    let settings = Settings::read(&environment, bind).map_err(ServiceError::configuration)?;
    raise_file_limit();
    let worst_case_seconds = settings.policies.policies.worst_case().as_secs_f64();
    let policy_file = settings.policy_file.clone();
    let mut signals = StopSignals::listen().map_err(ServiceError::failed)?;
    let application = Application::build(settings).map_err(|error| {
        if error.is_configuration() {
            ServiceError::configuration(error)
        } else {
            ServiceError::failed(error)
        }
    })?;
    tracing::info!(
        port = application.port(),
        worst_case_seconds,
        policy_file = policy_file
            .as_deref()
            .map_or("none: the built-in defaults".into(), Path::to_string_lossy)
            .as_ref(),
        "api started"
    );
    let reload = application.reload();
    let stop = async {
        // Beside the signals: on a disk that hangs the file is read for ever, and what is to stop stops all the same.
        let hang_up = Arc::new(Notify::new());
        let heard = Arc::clone(&hang_up);
        tokio::spawn(async move {
            loop {
                heard.notified().await;
                drop(spawn_blocking(reload.clone()).await);
            }
        });
        let signal = loop {
            match signals.next().await {
                "SIGHUP" => hang_up.notify_one(),
                signal => break signal,
            }
        };
        tracing::info!(signal, "stopping: finishing what is under way");
    };
    application
        .run_until_stopped(stop)
        .await
        .map_err(ServiceError::failed)?;
    tracing::info!("stopped");
    Ok(())
}

/// Hung calls of the naive endpoint hold two descriptors each; the usual soft limit of 1,024 is theirs in no time.
fn raise_file_limit() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: maximum,
            maximum,
        },
    ) {
        tracing::warn!(%error, "the file limit stays as it is");
    }
}
