//! A collector that decodes what it is sent and keeps it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::web::{Bytes, Data, post};
use actix_web::{App, HttpResponse, HttpServer};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::time::{Instant, sleep};

use crate::LIMIT;

/// A span as the collector has it, with the service that sent it.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) service: String,
    pub(crate) span: Span,
}

impl Seen {
    pub(crate) fn says(&self, key: &str) -> String {
        text(&self.span.attributes, key)
    }

    pub(crate) fn id(&self) -> Vec<u8> {
        self.span.span_id.clone()
    }
}

fn text(attributes: &[KeyValue], key: &str) -> String {
    let found = attributes.iter().find(|it| it.key == key);
    match found.and_then(|it| it.value.clone()?.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        _ => String::new(),
    }
}

#[derive(Clone, Default)]
pub(crate) struct Collector(Arc<Mutex<Vec<Seen>>>);

impl Collector {
    /// One that listens, and its address.
    pub(crate) async fn start() -> (Self, SocketAddr) {
        async fn take(collector: Data<Collector>, body: Bytes) -> HttpResponse {
            let request = ExportTraceServiceRequest::decode(body).unwrap();
            let mut seen = collector.0.lock().unwrap();
            for resource in request.resource_spans {
                let attributes = resource.resource.unwrap().attributes;
                let service = text(&attributes, "service.name");
                let spans = resource.scope_spans.into_iter().flat_map(|it| it.spans);
                seen.extend(spans.map(|span| Seen {
                    service: service.clone(),
                    span,
                }));
            }
            HttpResponse::Ok().finish()
        }
        let collector = Self::default();
        let shared = Data::new(collector.clone());
        let app = move || {
            App::new()
                .app_data(shared.clone())
                .route("/v1/traces", post().to(take))
        };
        let server = HttpServer::new(app).workers(1).disable_signals();
        let server = server.bind(("127.0.0.1", 0)).unwrap();
        let address = server.addrs()[0];
        tokio::spawn(server.run());
        (collector, address)
    }

    /// All spans, once one of them is as `wanted`.
    pub(crate) async fn until(&self, what: &str, wanted: impl Fn(&Seen) -> bool) -> Vec<Seen> {
        let started = Instant::now();
        loop {
            let seen = self.0.lock().unwrap().clone();
            if seen.iter().any(&wanted) {
                return seen;
            }
            let names: Vec<_> = seen.iter().map(|it| (&it.service, &it.span.name)).collect();
            assert!(started.elapsed() < LIMIT, "no {what} among {names:?}");
            sleep(Duration::from_millis(50)).await;
        }
    }
}
