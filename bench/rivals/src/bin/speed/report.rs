//! The table and the ratios.

use crate::measure::Median;

/// What a ratio is called, of what to what, and what it is to stay below.
const RATIOS: [(&str, &str, &str, f64); 10] = [
    ("adaptive/fixed", "stack, adaptive limit", "stack", 1.3),
    ("keyed/unkeyed", "stack, keyed", "stack, unkeyed", 1.5),
    ("stack/seatbelt", "stack", "seatbelt stack", 0.6),
    (
        "stack/seatbelt, 2 threads",
        "stack, 2 threads",
        "seatbelt stack, 2 threads",
        0.5,
    ),
    ("breaker/recloser", "breaker", "recloser", 1.0),
    (
        "breaker/tower-resilience",
        "breaker",
        "tower-resilience breaker",
        0.125,
    ),
    (
        "breaker_full/tower-resilience",
        "breaker_full",
        "tower-resilience breaker",
        0.5,
    ),
    (
        "stack/tower-resilience",
        "stack",
        "tower-resilience stack",
        0.15,
    ),
    ("window_50k/window_100", "window_50k", "window_100", 1.25),
    (
        "stack_2_threads/stack_1_thread",
        "stack, 2 threads",
        "stack",
        4.0,
    ),
];

pub(crate) fn print(medians: &[Median], stack_allocations: u64) {
    println!("nanoseconds per call, medians\n");
    for Median { name, nanoseconds } in medians {
        println!("  {name:<32} {nanoseconds:>9.1}");
    }
    let of = |wanted| medians.iter().find(|median| median.name == wanted);
    println!("\nratios, lower is better\n");
    for (name, part, whole, bound) in RATIOS {
        if let Some((part, whole)) = of(part).zip(of(whole)) {
            let ratio = part.nanoseconds / whole.nanoseconds;
            println!("ratio {name} {ratio:.3}  (to reach: {bound})");
        }
    }
    println!("ratio stack_allocations {stack_allocations}  (to reach: 0)");
}
