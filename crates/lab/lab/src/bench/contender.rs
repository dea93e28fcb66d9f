//! Two builds of the same thing, measured in turns against each other.

use super::wrk;
use crate::error::LabError;
use crate::figures::{Figures, median};
use crate::output::Console;
use crate::stage::{Probe, ServiceProcess};

/// An API, and what it was measured to do.
pub(super) struct Contender {
    pub(super) name: &'static str,
    pub(super) process: ServiceProcess,
    measured: Vec<Figures>,
}

impl Contender {
    pub(super) fn new(name: &'static str, process: ServiceProcess) -> Self {
        Self {
            name,
            process,
            measured: Vec::new(),
        }
    }

    pub(super) fn probe(&self) -> &Probe {
        self.process.probe()
    }

    /// The medians, in the columns of [`HEAD`].
    pub(super) fn row(&self) -> String {
        let of = |value: fn(&Figures) -> f64| median(self.measured.iter().map(value).collect());
        let (rate, p50, p99) = (
            of(|it| it.per_second),
            of(|it| it.p50_ms),
            of(|it| it.p99_ms),
        );
        format!("{:<12}{rate:>12.0}{p50:>10.1}{p99:>10.1}", self.name)
    }
}

/// The columns' names, under this one.
pub(super) fn head(first: &str) -> String {
    format!(
        "\n{first:<12}{:>12}{:>10}{:>10}",
        "requests/s", "p50 ms", "p99 ms"
    )
}

/// One round more than asked for, the first to warm up; another one begins each round.
pub(super) async fn measure(
    contenders: &mut [Contender; 2],
    rounds: u32,
    seconds: u32,
    console: Console,
) -> Result<(), LabError> {
    for round in 0..=rounds {
        // Where they stand is the caller's affair: only the order of this round is turned.
        let order = if round % 2 == 0 { [0, 1] } else { [1, 0] };
        for contender in order {
            let contender = &mut contenders[contender];
            let url = format!("{}/process", contender.probe().base());
            let figures = wrk::run(&url, if round == 0 { 1 } else { seconds }).await?;
            if round > 0 {
                console.say(format_args!(
                    "  round {round}  {:<10}{figures}",
                    contender.name
                ));
                contender.measured.push(figures);
            }
        }
    }
    Ok(())
}

/// Of their rates, the first to the second, one for each round.
pub(super) fn ratios([one, other]: &[Contender; 2]) -> Vec<f64> {
    let pairs = one.measured.iter().zip(&other.measured);
    pairs
        .map(|(one, other)| one.per_second / other.per_second)
        .collect()
}
