//! Logs and spans. Of logs one JSON object per line where a machine reads them, plain lines on a terminal.
//!
//! Code that logs never waits for the reader of the log: lines go to a bounded queue (`queue`) that a thread of its own writes out
//! (`writer`). Lines that repeat without end are counted and not written (`rate_limit_filter`, `log_rate_limiter`). Both kinds of loss are told
//! about in the log itself. Spans go to a collector, where there is one (`spans`), whatever the log leaves out.

mod filter;
mod format;
mod log_rate_limiter;
mod queue;
mod rate_limit_filter;
mod span_counts;
mod spans;
mod writer;

use tokio::runtime::Handle;
use tracing::Subscriber;
use tracing_subscriber::filter::FilterExt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt};

use self::filter::Directives;
use self::format::Format;
use self::queue::Queue;
use self::rate_limit_filter::RateLimitFilter;
pub use self::span_counts::span_counts;
use self::spans::Spans;
pub use self::spans::are_exported as spans_are_exported;
use self::writer::Writer;
use crate::environment::{Environment, EnvironmentError};

/// The logs and spans of this process. Dropped, it writes what is still in the queue, waiting for a reader who does not read for no
/// more than a second; lines of later are lost.
#[must_use = "dropped, it ends the log"]
pub struct Telemetry {
    spans: Option<Spans>,
    _writer: Writer,
}

impl Telemetry {
    /// Sends the last spans to the collector, for a second at most; later ones are lost. The runtime must still live.
    pub fn end_spans(&mut self) {
        self.spans = None;
    }
}

/// Installs the process-wide subscriber. `RUST_LOG` filters; unset, everything from `info` up is shown.
/// `OTEL_EXPORTER_OTLP_ENDPOINT` names a collector, to which `runtime` sends the spans of `service`.
/// `HOLDFAST_LOG_FORMAT` is `json` or `pretty`; unset, a terminal gets the second, all else the first.
///
/// # Errors
/// [`EnvironmentError::Invalid`] when a variable has another value. Calling it twice keeps the first subscriber.
pub fn init(
    environment: &Environment,
    service: &'static str,
    runtime: &Handle,
) -> Result<Telemetry, EnvironmentError> {
    let directives = Directives::choose(environment)?;
    let format = Format::choose(environment)?;
    let spans = Spans::choose(environment, service, runtime)?;
    let queue = Queue::default();
    let rate_limit = RateLimitFilter::default();
    let writer = Writer::start(queue.clone(), rate_limit.clone());
    // A second call (tests start several services in one process) keeps the first subscriber.
    let _ = match &spans {
        // What the log leaves out nobody wants: with filters of single layers each span would be looked up and marked.
        None => Registry::default()
            .with(directives.layer())
            .with(rate_limit)
            .with(lines(format, queue))
            .try_init(),
        Some(spans) => Registry::default()
            .with(spans.layer())
            .with(lines(format, queue).with_filter(directives.filter().and(rate_limit)))
            .try_init(),
    };
    Ok(Telemetry {
        spans,
        _writer: writer,
    })
}

fn lines<S>(format: Format, queue: Queue) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    // Told about on stderr, which is often the same file, a failure would cost the request as well: `eprintln!` panics.
    let layer = fmt::layer().with_writer(queue).log_internal_errors(false);
    match format {
        Format::Json => layer.json().flatten_event(true).boxed(),
        Format::Pretty { colours } => layer.with_ansi(colours).boxed(),
    }
}
