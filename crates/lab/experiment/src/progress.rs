//! How far a trial is: a bar on a terminal, plain lines elsewhere.

use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::io::{IsTerminal, stderr};
use std::time::Duration;

use holdfast_system::error::SystemError;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::Instant;

use super::plan::{Experiment, Side};
use super::trial::Call;
use super::under_load::Audience;
use super::verdict::steady_before;
use crate::error::ExperimentError;
use crate::load::CallHistory;
use crate::output::{Console, Tone};

const LINE: &str = "  {prefix:<9} {bar:24} {elapsed:>4}  {msg}";
const SECOND: Duration = Duration::from_secs(1);

/// Shows how far a trial is, and knows whether it was well.
#[derive(Debug)]
pub(super) struct Progress<'a> {
    experiment: &'a Experiment,
    side: Side,
    console: Console,
    bar: Option<ProgressBar>,
    epoch: Cell<Option<Instant>>,
    phase: RefCell<String>,
    heard: RefCell<Vec<Call>>,
    rate: Cell<Rate>,
}

impl<'a> Progress<'a> {
    pub(super) fn new(experiment: &'a Experiment, side: Side, console: Console) -> Self {
        let bar = stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(experiment.load.lasts.as_secs());
            // The template is a constant; were it wrong, the default would serve.
            if let Ok(style) = ProgressStyle::with_template(LINE) {
                bar.set_style(style.progress_chars("━╸─"));
            }
            bar.set_prefix(side.name());
            bar
        });
        Self {
            experiment,
            side,
            console,
            bar,
            epoch: Cell::new(None),
            phase: RefCell::default(),
            heard: RefCell::default(),
            rate: Cell::default(),
        }
    }

    /// The load begins now.
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

    /// The phase comes last: it may be long, and a narrow terminal cuts the end off.
    fn message(&self) -> String {
        let phase = self.phase.borrow();
        let Some(epoch) = self.epoch.get() else {
            return phase.clone();
        };
        let now = epoch.elapsed();
        let rate = self.rate.get().at(now);
        self.rate.set(rate);
        let left = self.experiment.load.lasts.saturating_sub(now);
        let pace = pace(rate.per_second, left);
        let heard = self.heard.borrow();
        let kept = heard.iter().filter(|call| call.is_promised()).count();
        let others = heard.len() - kept;
        format!("{pace} · {kept} promised, {others} not · {phase}")
    }
}

impl Audience for Progress<'_> {
    fn heard(&self, history: &CallHistory) -> Result<(), SystemError> {
        let call = history.call();
        if call.status().is_some() {
            self.rate.set(self.rate.get().with_one_more());
        }
        self.heard.borrow_mut().push(call);
        Ok(())
    }

    fn told(&self, what: String) {
        self.enter(what);
    }

    fn ticked(&self) {
        if let (Some(bar), Some(epoch)) = (&self.bar, self.epoch.get()) {
            bar.set_position(epoch.elapsed().as_secs());
            bar.set_message(self.message());
        }
    }

    fn is_steady(&self) -> Result<(), ExperimentError> {
        let side = self.side;
        steady_before(self.experiment, &self.heard.borrow())
            .map_err(|seen| ExperimentError::NotSteady { side, seen })
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

impl Drop for Progress<'_> {
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
