//! Whether a call costs more the more calls the breaker's time window holds.

use std::hint::black_box;
use std::time::Duration;

use holdfast_policy::{Call, Window};
use tokio::time::Instant;
use tower::{Layer, Service, service_fn};

use crate::measure::{Case, runtime};
use crate::ours::{alone, full_job};
use crate::rivals::answer;

/// So few that they hardly add to what the window holds already.
const MEASURED: u32 = 50;
/// How often the window is filled anew and measured, per round.
const REFILLS: u32 = 40;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        with_live_records("window_100", 100),
        with_live_records("window_50k", 50_000),
    ]
}

fn with_live_records(name: &'static str, records: u32) -> Case {
    // Longer than a round takes: nothing leaves the window but by the reset.
    let policy = alone(full_job(Window::Time(Duration::from_secs(600))));
    let mut service = policy.layer(service_fn(answer));
    let runtime = runtime();
    Case::new(name, move || {
        let took = runtime.block_on(async {
            let mut took = Duration::ZERO;
            for _ in 0..REFILLS {
                policy.breaker().expect("a breaker").reset();
                for _ in 0..records {
                    black_box(service.call(Call::new(1)).await.is_ok());
                }
                let start = Instant::now();
                for _ in 0..MEASURED {
                    black_box(service.call(Call::new(1)).await.is_ok());
                }
                took += start.elapsed();
            }
            took
        });
        (took, MEASURED * REFILLS)
    })
}
