//! The observers that come with the crate, told by a real policy. A file of its own, for they are behind features.

use std::sync::{Arc, Mutex};

use holdfast_policy::observe::{Counters, TransitionLog};
use holdfast_policy::{Call, Policy, PolicyConfig};
use metrics::with_local_recorder;
use metrics_exporter_prometheus::PrometheusBuilder;
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut lines = self.0.lock().map_err(|_| std::io::ErrorKind::Other)?;
        lines.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_policy_does_is_counted_and_its_breaker_logged() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let counters = with_local_recorder(&recorder, || Counters::new("shop"));
    let lines = Lines::default();
    let log = tracing_subscriber::fmt().with_ansi(false);
    let _guard = tracing::subscriber::set_default(log.with_writer(lines.clone()).finish());
    let policy = Policy::builder("shop", PolicyConfig::default());
    let policy = policy.observe(counters).observe(TransitionLog);
    let policy = policy.build().unwrap();
    for _ in 0..4 {
        let answer = policy.call(Call::new(()), |()| async { Err::<(), _>("no") });
        answer.await.unwrap_err();
    }
    let text = recorder.handle().render();
    for expected in [
        r#"holdfast_attempts_total{dependency="shop",outcome="failure"} 3"#,
        r#"holdfast_calls_total{dependency="shop",outcome="circuit_open"} 1"#,
        r#"holdfast_rejections_total{dependency="shop",reason="breaker"} 1"#,
        r#"holdfast_breaker_transitions_total{dependency="shop",to="open"} 1"#,
        r#"holdfast_hedges_total{dependency="shop",outcome="won"} 0"#,
    ] {
        assert!(text.contains(expected), "{expected} in\n{text}");
    }
    let lines = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let said = "breaker changed state dependency=\"shop\" from=\"closed\" to=\"open\" because=3 failures in a row";
    assert!(lines.contains(said), "{lines}");
}
