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

const LINE: &str = "  {prefix:<9} {bar:24} {elapsed:>4} of {len} s  {msg}";

/// Of one trial.
#[derive(Debug)]
pub(super) struct Progress {
    side: Side,
    console: Console,
    bar: Option<ProgressBar>,
    epoch: Cell<Option<Instant>>,
    phase: RefCell<String>,
    promised: Cell<u64>,
    others: Cell<u64>,
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
            console,
            bar,
            epoch: Cell::new(None),
            phase: RefCell::default(),
            promised: Cell::new(0),
            others: Cell::new(0),
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
                bar.tick();
            }
            None => {
                let at = self.epoch.get().map(|epoch| epoch.elapsed().as_secs_f64());
                let at = at.map_or_else(|| " ".repeat(8), |at| format!("{at:>6.1} s"));
                let line = format!("  {:<9} {at}  {phase}", self.side.name());
                self.console.say(self.console.paint(Tone::Faint, line));
            }
        }
    }

    /// A call has ended.
    pub(super) fn heard(&self, call: &Call) {
        let count = if call.is_promised() {
            &self.promised
        } else {
            &self.others
        };
        count.set(count.get() + 1);
    }

    /// Some time has gone by.
    pub(super) fn tick(&self) {
        let (Some(bar), Some(epoch)) = (&self.bar, self.epoch.get()) else {
            return;
        };
        bar.set_position(epoch.elapsed().as_secs());
        let (kept, others) = (self.promised.get(), self.others.get());
        bar.set_message(format!(
            "{kept} promised, {others} not · {}",
            self.phase.borrow()
        ));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
