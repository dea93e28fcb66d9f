//! Latency of every call over the time it was meant to be sent: one panel for each side, on the same axes.

use std::sync::Arc;

use kuva::prelude::{Layout, Plot, ReferenceLine, ScatterPlot, TickFormat};

use super::canvas::{self, Axis};
use super::{Figure, Key, Panel};
use crate::outcome::{Look, Outcome};
use crate::summary::Summary;
use crate::words::{count, or_none, seconds};
use holdfast_checker::trial::Trial;

const HEIGHT: u32 = 264;
/// Nothing is drawn as faster than this: the scale is logarithmic.
const FASTEST: f64 = 0.001;

pub(in super::super) fn latency(naive: &Trial, resilient: &Trial, axis: Axis) -> Figure {
    let range = range([naive, resilient]);
    let present = Outcome::ALL.into_iter().filter(|outcome| {
        let mut calls = naive.calls.iter().chain(&resilient.calls);
        calls.any(|call| Outcome::of(call) == *outcome)
    });
    let mut legend: Vec<Key> = present.map(mark_key).collect();
    let words = "the bound that the resilient side publishes";
    legend.push(canvas::line_key(words, "var(--bound)", 2.0, Some("7 4")));
    legend.push(canvas::fault_key());
    Figure {
        title: "Latency of every call",
        axes: "seconds from the intended start to the end, on a logarithmic scale, over seconds from the start of the \
               load; one mark for each call"
            .to_owned(),
        panels: vec![
            panel(naive, resilient, axis, range),
            panel(resilient, resilient, axis, range),
        ],
        legend,
        says: vec![sentence(naive), sentence(resilient)],
    }
}

fn panel(trial: &Trial, bounded: &Trial, axis: Axis, range: (f64, f64)) -> Panel {
    let plots = Outcome::ALL
        .into_iter()
        .filter_map(|outcome| marks(trial, outcome));
    let layout = axis
        .layout(range, HEIGHT)
        .with_log_y()
        .with_y_tick_format(TickFormat::Custom(Arc::new(|seconds| seconds.to_string())));
    let layout = canvas::shaded(layout, &trial.faults, 1.0);
    let layout = bound_line(layout, bounded);
    let heading = format!("{}: {}", trial.side.name(), trial.side.path());
    canvas::draw(heading, plots.collect(), layout, &trial.faults, |_, _| {})
}

fn marks(trial: &Trial, outcome: Outcome) -> Option<Plot> {
    let calls = trial
        .calls
        .iter()
        .filter(|call| Outcome::of(call) == outcome);
    let points: Vec<(f64, f64)> = calls
        .map(|call| {
            let latency = call.latency().as_secs_f64().max(FASTEST);
            (call.intended.as_secs_f64(), latency)
        })
        .collect();
    (!points.is_empty()).then(|| scatter(points, outcome.look(), 1.0))
}

fn bound_line(layout: Layout, trial: &Trial) -> Layout {
    let bound = trial.bound.as_secs_f64();
    layout.with_reference_line(
        ReferenceLine::horizontal(bound)
            .with_color("var(--bound)")
            .with_stroke_width(1.5)
            .with_dasharray("7 4")
            .with_label(format!("bound {}", seconds(bound))),
    )
}

/// From the fastest to the slowest of both sides, and the bound.
fn range(trials: [&Trial; 2]) -> (f64, f64) {
    let latencies = trials.into_iter().flat_map(|trial| {
        let calls = trial.calls.iter().map(|call| call.latency().as_secs_f64());
        calls.chain([trial.bound.as_secs_f64()])
    });
    let (lowest, highest) = latencies.fold((1.0_f64, 1.0_f64), |(lowest, highest), latency| {
        (lowest.min(latency), highest.max(latency))
    });
    (lowest.max(FASTEST) * 0.7, highest * 1.6)
}

fn mark_key(outcome: Outcome) -> Key {
    let look = outcome.look();
    canvas::key_of_plot(look.words, scatter(vec![(1.0, 1.0)], look, 1.6))
}

fn scatter(points: Vec<(f64, f64)>, look: Look, enlarged: f64) -> Plot {
    ScatterPlot::new()
        .with_data(points)
        .with_color(look.colour)
        .with_marker(look.mark)
        .with_size(look.size * enlarged)
        .into()
}

fn sentence(trial: &Trial) -> String {
    let it = Summary::of(trial);
    format!(
        "{}: {} calls, of which {} were answered 200 ({} of them degraded), {} answered 202, {} answered with an error, {} \
         without an answer. Half took at most {}, 99 % at most {}; the longest took {}.",
        trial.side,
        count(it.calls),
        count(it.whole + it.degraded),
        count(it.degraded),
        count(it.deferred),
        count(it.errors),
        count(it.unanswered),
        or_none(it.p50_seconds),
        or_none(it.p99_seconds),
        or_none(it.slowest_seconds),
    )
}
