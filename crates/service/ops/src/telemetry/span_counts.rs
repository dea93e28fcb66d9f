//! What became of spans: sent, refused by the collector, or dropped for want of room before anybody tried. The SDK itself tells
//! of the last only in its log, so the limit is kept here, where it can be counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanExporter, SpanProcessor};

/// Of this process.
pub(super) static COUNTS: SpanCounts = SpanCounts {
    sent: AtomicU64::new(0),
    failed: AtomicU64::new(0),
    dropped: AtomicU64::new(0),
};

/// How many spans came to what.
#[derive(Debug, Default)]
pub(super) struct SpanCounts {
    sent: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
}

/// What became of this process' spans by now.
#[must_use]
pub fn span_counts() -> [(&'static str, u64); 3] {
    let SpanCounts {
        sent,
        failed,
        dropped,
    } = &COUNTS;
    [("sent", sent), ("failed", failed), ("dropped", dropped)]
        .map(|(outcome, count)| (outcome, count.load(Ordering::Relaxed)))
}

/// Passes spans on while there is room: those that wait for the exporter and those that it has in hand.
#[derive(Debug)]
pub(super) struct Bounded<P> {
    pub(super) next: P,
    pub(super) room: u64,
    pub(super) waiting: Arc<AtomicU64>,
    pub(super) counts: &'static SpanCounts,
}

impl<P: SpanProcessor> SpanProcessor for Bounded<P> {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.next.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if !span.span_context.is_sampled() {
            return;
        }
        if self.waiting.fetch_add(1, Ordering::Relaxed) < self.room {
            self.next.on_end(span);
        } else {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.next.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.next.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.next.set_resource(resource);
    }
}

/// Makes room again once a batch is sent, or is not to be.
#[derive(Debug)]
pub(super) struct Counting<E> {
    pub(super) next: E,
    pub(super) waiting: Arc<AtomicU64>,
    pub(super) counts: &'static SpanCounts,
}

impl<E: SpanExporter> SpanExporter for Counting<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        let result = self.next.export(batch).await;
        self.waiting.fetch_sub(spans, Ordering::Relaxed);
        let count = match result {
            Ok(()) => &self.counts.sent,
            Err(_) => &self.counts.failed,
        };
        count.fetch_add(spans, Ordering::Relaxed);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.next.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.next.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.next.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use opentelemetry::trace::{Tracer, TracerProvider};
    use opentelemetry_sdk::error::OTelSdkError;
    use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};

    use super::*;

    /// A collector that can be told to refuse.
    #[derive(Debug, Clone, Default)]
    struct Collector(Arc<AtomicBool>);

    impl SpanExporter for Collector {
        async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
            match self.0.load(Ordering::Relaxed) {
                true => Err(OTelSdkError::InternalFailure("refused".to_owned())),
                false => Ok(()),
            }
        }
    }

    #[test]
    fn spans_are_counted_as_sent_failed_or_dropped_and_there_is_room_again() {
        let counts: &SpanCounts = Box::leak(Box::default());
        let (collector, waiting) = (Collector::default(), Arc::default());
        let exporter = Counting {
            next: collector.clone(),
            waiting: Arc::clone(&waiting),
            counts,
        };
        // Spans are sent when they are asked for, and not before.
        let hourly = BatchConfigBuilder::default().with_scheduled_delay(Duration::from_secs(3600));
        let provider = SdkTracerProvider::builder()
            .with_span_processor(Bounded {
                next: BatchSpanProcessor::builder(exporter)
                    .with_batch_config(hourly.build())
                    .build(),
                room: 8,
                waiting,
                counts,
            })
            .build();
        let tracer = provider.tracer("test");
        let [mut sent, mut failed] = [0, 0];
        for refuses in [false, true, false] {
            collector.0.store(refuses, Ordering::Relaxed);
            (0..8).for_each(|_| drop(tracer.start("span")));
            let _ = provider.force_flush();
            let count = if refuses { &mut failed } else { &mut sent };
            *count += 8;
            let counted = [&counts.sent, &counts.failed].map(|it| it.load(Ordering::Relaxed));
            assert_eq!(counted, [sent, failed]);
        }
        assert_eq!(counts.dropped.load(Ordering::Relaxed), 0);
        // More than there is room for.
        (0..11).for_each(|_| drop(tracer.start("span")));
        assert_eq!(counts.dropped.load(Ordering::Relaxed), 3);
        let _ = provider.force_flush();
        assert_eq!(counts.sent.load(Ordering::Relaxed), sent + 8);
    }
}
