//! The server under the routes: actix' own, but for the connections, which it does not bound by itself. It has no time
//! limit on any request but a connection's first, none on writing, and at its most connections it lets nobody in.

use std::future::ready;
use std::io;
use std::net::TcpListener;
use std::num::NonZero;
use std::rc::Rc;
use std::thread::available_parallelism;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, KeepAlive};
use actix_server::Server;
use actix_service::{IntoServiceFactory, ServiceFactoryExt, map_config};
use actix_web::dev::{AppConfig, fn_service};
use actix_web::middleware::from_fn;
use actix_web::web::ServiceConfig;
use actix_web::{App, Error};
use tokio::net::TcpStream;
use tracing_actix_web::TracingLogger;

use super::connections::{BUSY_SHARE, Connections, Stream};
use super::envelope::envelope;
use super::measure::measure;
use super::span::RequestSpan;
use crate::limit::file_limit;

/// However many files may be open: what a connection holds besides is memory.
const MAX_CONNECTIONS: usize = 16 * 1024;
/// How long the rest of a request is read and thrown away after an early answer, so that the client gets to read that.
const LINGER_LIMIT: Duration = Duration::from_secs(1);

/// Serves what `configure` registers, behind the middleware that every exchange passes. What is under way when it stops has
/// `drain_limit` to end.
///
/// # Errors
/// When the listener cannot be used.
pub(crate) fn serve(
    listener: TcpListener,
    drain_limit: Duration,
    configure: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> io::Result<Server> {
    let threads = available_parallelism().map_or(1, NonZero::get);
    let connections_each = max_connections(file_limit()).div_ceil(threads);
    let server = Server::build()
        .workers(threads)
        .disable_signals()
        .shutdown_timeout(drain_limit.as_secs());
    let draining = server.graceful_shutdown_signal();
    let per_thread = move || {
        let app = App::new()
            .configure(configure.clone())
            // Innermost first: the envelope needs the id that the logger chooses.
            .wrap(from_fn(envelope))
            .wrap(TracingLogger::<RequestSpan>::new())
            .wrap(from_fn(measure))
            .into_factory()
            .map_err(|error: Error| error.error_response());
        let draining = draining.clone();
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let draining = draining.clone();
                async move { draining.notified().await }
            })
            // Both are the stream's business.
            .keep_alive(KeepAlive::Os)
            .client_request_timeout(Duration::ZERO)
            .client_disconnect_timeout(LINGER_LIMIT)
            // A client that has closed its side is gone, and so is its call.
            .h1_allow_half_closed(false)
            .on_connect_ext(|stream: &Stream, data| {
                data.insert(stream.connection());
            })
            .h1(map_config(app, |()| AppConfig::default()));
        let connections = Connections::new(connections_each);
        fn_service(move |socket| ready(admit(&connections, socket))).and_then(http)
    };
    Ok(server.listen("http", listener, per_thread)?.run())
}

type Admitted = (Stream, Option<std::net::SocketAddr>);

fn admit(connections: &Rc<Connections>, socket: TcpStream) -> Result<Admitted, DispatchError> {
    let peer = socket.peer_addr().ok();
    let stream = connections.admit(socket);
    let full = || io::Error::other("every connection is busy");
    Ok((stream.ok_or_else(full).map_err(DispatchError::Io)?, peer))
}

/// How many exchanges may be under way at once where so many `files` may be open.
#[must_use]
pub(crate) fn max_exchanges(files: u64) -> usize {
    max_connections(files) * BUSY_SHARE / 8
}

/// Well below the number of files that may be open: a call holds another one, to the worker.
fn max_connections(files: u64) -> usize {
    usize::try_from(files / 8 * 3).map_or(MAX_CONNECTIONS, |many| many.clamp(16, MAX_CONNECTIONS))
}
