//! Break and heal from the page: serves the API's page at a loopback address of its own, and beside it `/lab/`, by which
//! that page acts on the stage.
//!
//! Page and actions share one origin, so the page's policy stays as strict as it is and no other page can act. What is
//! not `/lab/` goes to the API as it came; with the API dead it is 502, and the page that is open can still start it.

mod access;
mod requests;

use std::fs::File;
use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use holdfast_ops::signals::StopSignals;
use holdfast_system::error::SystemError;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use reqwest::Client;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use access::Access;
use requests::Shared;

use crate::output::Console;
use crate::settings::Settings;
use crate::stage::{Stage, check_free};

const TOKEN_BYTES: usize = 16;
const PAUSE: Duration = Duration::from_millis(100);

/// The service, listening.
pub struct Control {
    listener: TcpListener,
    /// The page's address, with the token.
    pub url: String,
    shared: Arc<Shared>,
}

/// Serves until it is interrupted; the stage stays as it is then.
pub(crate) async fn run(
    port: u16,
    settings: &Settings,
    console: Console,
) -> Result<(), SystemError> {
    let stage = Stage::to_act_on(settings, console).await?;
    // Or it would serve whatever else listens on the API's port.
    stage.conditions().await?;
    let mut signals = StopSignals::listen().map_err(SystemError::file("listen for", "signals"))?;
    let control = Control::listen(port, &stage).await?;
    console.print(&control.url);
    console
        .say("open it: the page there breaks and heals; Ctrl-C ends this, and the stage stays up");
    tokio::select! {
        () = control.serve() => {}
        _ = signals.next() => {}
    }
    Ok(())
}

impl Control {
    /// Takes the port, 0 for any that is free, and makes a token.
    ///
    /// # Errors
    /// The port is taken.
    pub async fn listen(port: u16, stage: &Stage) -> Result<Self, SystemError> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        check_free(port, "CONTROL_PORT")?;
        let failed = || SystemError::file("listen on", address.to_string());
        let listener = TcpListener::bind(address).await.map_err(failed())?;
        let port = listener.local_addr().map_err(failed())?.port();
        let token = token().map_err(SystemError::file("read", "/dev/urandom"))?;
        Ok(Self {
            listener,
            url: format!("http://127.0.0.1:{port}/#{token}"),
            shared: Arc::new(Shared {
                access: Access::new(port, token),
                stage: stage.quietly(),
                // Only the environment's proxies differ from the default; without TLS there is nothing that can fail.
                client: Client::builder().no_proxy().build().unwrap_or_default(),
            }),
        })
    }

    /// Serves for ever.
    pub async fn serve(&self) {
        loop {
            match self.listener.accept().await {
                Ok((connection, _)) => {
                    tokio::spawn(serve(connection, Arc::clone(&self.shared)));
                }
                // Out of files, for one: that passes, and is not to be asked all the time.
                Err(_) => sleep(PAUSE).await,
            }
        }
    }
}

fn token() -> io::Result<String> {
    let mut bytes = [0; TOKEN_BYTES];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

async fn serve(connection: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, io::Error>(shared.answer(request).await) }
    });
    // Its client knows that it broke off.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(connection), service)
        .await;
}
