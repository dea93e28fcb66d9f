//! Spans for a collector: OTLP over HTTP, where `OTEL_EXPORTER_OTLP_ENDPOINT` names one. Without it nothing of this is there.
//!
//! The exporter never holds up a request: spans go to a bounded queue that a thread of the SDK's own empties; what finds no
//! room is dropped and counted (`span_counts`). Which of them are kept (`OTEL_TRACES_SAMPLER`), what they say of the process
//! (`OTEL_RESOURCE_ATTRIBUTES`, `OTEL_SERVICE_NAME`) and how large the queue is (`OTEL_BSP_*`) the SDK reads itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_http::hyper::HyperClient;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SdkTracerProvider};
use tokio::runtime::Handle;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

use super::span_counts::{Bounded, COUNTS, Counting};
use crate::environment::{Environment, EnvironmentError};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const PROTOCOLS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
];
/// Spans that may wait: what the SDK's own queue has room for, unless the environment says otherwise.
const ROOM: u64 = 2048;
/// For one batch; the SDK tries again itself.
const EXPORT_LIMIT: Duration = Duration::from_secs(5);
/// For the last batch, when the process ends.
const LAST_BATCH: Duration = Duration::from_secs(1);
/// Ours, all of which begin with this: the exporter must not trace itself.
const TARGETS: &str = "holdfast";

static EXPORTED: AtomicBool = AtomicBool::new(false);

/// Whether spans go to a collector.
#[must_use]
pub fn are_exported() -> bool {
    EXPORTED.load(Ordering::Relaxed)
}

/// Spans on their way to the collector. Dropped, it sends what is left, for a second at most; the runtime must still live.
pub(super) struct Spans(SdkTracerProvider);

impl Spans {
    /// `None` where the environment names no collector.
    ///
    /// # Errors
    /// When it names one that cannot be talked to.
    pub(super) fn choose(
        environment: &Environment,
        service: &'static str,
        runtime: &Handle,
    ) -> Result<Option<Self>, EnvironmentError> {
        let Some(endpoint) = endpoint(environment)? else {
            return Ok(None);
        };
        let client = OnRuntime {
            client: Arc::new(HyperClient::with_default_connector(EXPORT_LIMIT, None)),
            runtime: runtime.clone(),
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_endpoint(&endpoint)
            .build();
        let exporter = exporter.map_err(|error| EnvironmentError::Invalid {
            name: ENDPOINT,
            value: endpoint,
            problem: error.to_string(),
        })?;
        let mut resource = Resource::builder();
        if environment.get("OTEL_SERVICE_NAME").is_none() {
            resource = resource.with_service_name(service);
        }
        let waiting = Arc::default();
        let exporter = Counting {
            next: exporter,
            waiting: Arc::clone(&waiting),
            counts: &COUNTS,
        };
        let room = environment.get("OTEL_BSP_MAX_QUEUE_SIZE");
        let processor = Bounded {
            next: BatchSpanProcessor::builder(exporter).build(),
            room: room.and_then(|it| it.parse().ok()).unwrap_or(ROOM),
            waiting,
            counts: &COUNTS,
        };
        let provider = SdkTracerProvider::builder()
            .with_resource(resource.build())
            .with_span_processor(processor)
            .build();
        Ok(Some(Self(provider)))
    }

    /// What hands them over, whatever the log's filter says.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        EXPORTED.store(true, Ordering::Relaxed);
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer(TARGETS))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(Targets::new().with_target(TARGETS, LevelFilter::DEBUG))
    }
}

impl Drop for Spans {
    fn drop(&mut self) {
        EXPORTED.store(false, Ordering::Relaxed);
        // Nobody is left to tell; what was dropped the SDK has logged.
        let _ = self.0.shutdown_with_timeout(LAST_BATCH);
    }
}

/// Where spans are sent, if they are.
fn endpoint(environment: &Environment) -> Result<Option<String>, EnvironmentError> {
    let disabled = environment.get("OTEL_SDK_DISABLED");
    if disabled.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Ok(None);
    }
    let exporter = "OTEL_TRACES_EXPORTER";
    match environment.get(exporter) {
        Some("none") => return Ok(None),
        None | Some("otlp") => {}
        Some(_) => return Err(invalid(environment, exporter, "give otlp or none")),
    }
    let (name, url) = match (environment.get(TRACES_ENDPOINT), environment.get(ENDPOINT)) {
        (Some(url), _) => (TRACES_ENDPOINT, url.to_owned()),
        (None, Some(base)) => (
            ENDPOINT,
            format!("{}/v1/traces", base.trim_end_matches('/')),
        ),
        (None, None) => return Ok(None),
    };
    if !url.starts_with("http://") {
        let problem = "spans are sent over http:// only: give a collector on this host or network";
        return Err(invalid(environment, name, problem));
    }
    let host = url.split('/').nth(2).unwrap_or_default();
    if host.contains('@') {
        let problem =
            "a login in it is not sent: give it as OTEL_EXPORTER_OTLP_HEADERS=authorization=…";
        return Err(invalid(environment, name, problem));
    }
    let protocol = |name: &&'static str| environment.get(name).is_some();
    if let Some(name) = PROTOCOLS.into_iter().find(protocol)
        && environment.get(name) != Some("http/protobuf")
    {
        return Err(invalid(
            environment,
            name,
            "give http/protobuf, or leave it unset",
        ));
    }
    Ok(Some(url))
}

fn invalid(environment: &Environment, name: &'static str, problem: &str) -> EnvironmentError {
    EnvironmentError::Invalid {
        name,
        value: environment.get(name).unwrap_or_default().to_owned(),
        problem: problem.to_owned(),
    }
}

/// The SDK's thread knows no runtime, and the client's sockets need one.
#[derive(Debug)]
struct OnRuntime {
    client: Arc<HyperClient>,
    runtime: Handle,
}

#[async_trait::async_trait]
impl HttpClient for OnRuntime {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = Arc::clone(&self.client);
        self.runtime
            .spawn(async move { client.send_bytes(request).await })
            .await?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted<const N: usize>(variables: [(&str, &str); N]) -> Result<Option<String>, String> {
        endpoint(&Environment::from(variables)).map_err(|error| error.to_string())
    }

    #[test]
    fn spans_are_exported_only_where_a_collector_is_named() {
        let there = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
        assert_eq!(wanted([]), Ok(None));
        assert_eq!(
            wanted([there]),
            Ok(Some("http://127.0.0.1:4318/v1/traces".to_owned()))
        );
        assert_eq!(wanted([there, ("OTEL_SDK_DISABLED", "true")]), Ok(None));
        assert_eq!(wanted([there, ("OTEL_TRACES_EXPORTER", "none")]), Ok(None));
        let whole = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c:1/t");
        assert_eq!(wanted([there, whole]), Ok(Some("http://c:1/t".to_owned())));
    }

    #[test]
    fn what_cannot_be_talked_to_is_refused_by_name() {
        let there = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
        let grpc = wanted([there, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]).unwrap_err();
        assert!(
            grpc.starts_with("OTEL_EXPORTER_OTLP_PROTOCOL=\"grpc\": "),
            "{grpc}"
        );
        let tls = wanted([("OTEL_EXPORTER_OTLP_ENDPOINT", "https://c")]).unwrap_err();
        assert!(
            tls.starts_with("OTEL_EXPORTER_OTLP_ENDPOINT=\"https://c\": "),
            "{tls}"
        );
        let login = wanted([("OTEL_EXPORTER_OTLP_ENDPOINT", "http://me:secret@c")]).unwrap_err();
        assert!(
            login.contains("login") && !login.contains("secret"),
            "{login}"
        );
        let other = wanted([there, ("OTEL_TRACES_EXPORTER", "zipkin")]).unwrap_err();
        assert!(other.starts_with("OTEL_TRACES_EXPORTER="), "{other}");
    }
}
