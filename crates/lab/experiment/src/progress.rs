//! How far a trial is: a bar on a terminal, plain lines elsewhere.

use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::Instant;

use super::plan::Side;
use super::trial::Call;
use crate::output::{Console, Tone};

const LINE: &str = "  {prefix:<9} {bar:24} {elapsed:>4}  {msg}";
const SECOND: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Progress {
    side: Side,
    lasts: Duration,
    console: Console,
    bar: Option<ProgressBar>,
    epoch: Cell<Option<Instant>>,
    phase: RefCell<String>,
    promised: Cell<u64>,
    others: Cell<u64>,
    rate: Cell<Rate>,
}

impl Progress {
    /// Of a trial whose load lasts this long.
    pub(super) fn new(side: Side, lasts: Duration, console: Console) -> Self {
        let bar = stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(lasts.as_secs());
            // The template is a constant; were it wrong, the default would serve.
            if let Ok(style) = ProgressStyle::with_template(LINE) {
                bar.set_style(style.progress_chars("━╸─"));
            }
            bar.set_prefix(side.name());
            bar
        });
        Self {
            side,
            lasts,
            console,
            bar,
            epoch: Cell::new(None),
            phase: RefCell::default(),
            promised: Cell::new(0),
            others: Cell::new(0),
            rate: Cell::default(),
        }
    }

    pub(super) fn begin(&self, epoch: Instant) {
        self.epoch.set(Some(epoch));
        if let Some(bar) = &self.bar {
            bar.reset_elapsed();
        }
        self.enter("steady state");
    }

    /// What goes on from now on.
    pub(super) fn enter(&self, phase: impl Display) {
        match &self.bar {
            Some(bar) => {
                self.phase.replace(phase.to_string());
                // Not left to the next tick: the last phase has none.
                bar.set_message(self.message());
            }
            None => {
                let at = self.epoch.get().map(|epoch| epoch.elapsed().as_secs_f64());
                let at = at.map_or_else(|| " ".repeat(8), |at| format!("{at:>6.1} s"));
                let line = format!("  {:<9} {at}  {phase}", self.side.name());
                self.console.say(self.console.paint(Tone::Faint, line));
            }
        }
    }

    pub(super) fn heard(&self, call: &Call) {
        let count = if call.is_promised() {
            &self.promised
        } else {
            &self.others
        };
        count.set(count.get() + 1);
        if call.status().is_some() {
            self.rate.set(self.rate.get().with_one_more());
        }
    }

    pub(super) fn tick(&self) {
        let (Some(bar), Some(epoch)) = (&self.bar, self.epoch.get()) else {
            return;
        };
        bar.set_position(epoch.elapsed().as_secs());
        bar.set_message(self.message());
    }

    /// The phase comes last: it may be long, and a narrow terminal cuts the end off.
    fn message(&self) -> String {
        let phase = self.phase.borrow();
        let Some(epoch) = self.epoch.get() else {
            return phase.clone();
        };
        let now = epoch.elapsed();
        let rate = self.rate.get().at(now);
        self.rate.set(rate);
        let pace = pace(rate.per_second, self.lasts.saturating_sub(now));
        let (kept, others) = (self.promised.get(), self.others.get());
        format!("{pace} · {kept} promised, {others} not · {phase}")
    }
}

/// Answers per second, over about the last one: a mean over the whole load would hide an outage.
#[derive(Debug, Clone, Copy, Default)]
struct Rate {
    since: Duration,
    answers: u32,
    per_second: f64,
}

impl Rate {
    fn with_one_more(self) -> Self {
        Self {
            answers: self.answers + 1,
            ..self
        }
    }

    /// The same until a second is full; then of that second.
    fn at(self, now: Duration) -> Self {
        let span = now.saturating_sub(self.since);
        if span < SECOND {
            return self;
        }
        Self {
            since: now,
            answers: 0,
            per_second: f64::from(self.answers) / span.as_secs_f64(),
        }
    }
}

/// Afterwards no rate: only stragglers are answered then.
fn pace(per_second: f64, left: Duration) -> String {
    if left.is_zero() {
        return "load over".to_owned();
    }
    let left = left.as_secs_f64();
    format!("{left:.0} s left · {per_second:.0} answers/s")
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_of_the_last_second_that_is_full() {
        let at = Duration::from_millis;
        let busy = (0..30).fold(Rate::default(), |rate, _| rate.with_one_more());
        assert!(busy.at(at(900)).per_second.abs() < 1e-9);
        let full = busy.at(at(1500));
        assert!((full.per_second - 20.0).abs() < 1e-9);
        assert!((full.at(at(2400)).per_second - 20.0).abs() < 1e-9);
        assert!(full.at(at(2500)).per_second.abs() < 1e-9);
    }

    #[test]
    fn the_pace_is_told_for_as_long_as_the_load_lasts() {
        assert_eq!(
            pace(19.6, Duration::from_secs(34)),
            "34 s left · 20 answers/s"
        );
        assert_eq!(pace(19.6, Duration::ZERO), "load over");
    }
}
