//! What happens per second, naive and resilient in the same plot.

use kuva::prelude::{Layout, LinePlot, LineStyle, Plot};

use super::Figure;
use super::canvas::{self, Axis};
use crate::series::{self, peak};
use crate::words::count;
use holdfast_checker::plan::Side;
use holdfast_checker::trial::Trial;

const HEIGHT: u32 = 220;
const OWED_HEIGHT: u32 = 180;

struct Line {
    words: &'static str,
    colour: &'static str,
    dashes: Option<&'static str>,
    width: f64,
    series: Vec<Option<f64>>,
}

/// What was asked of both sides, and what each promised.
pub(in super::super) fn load(naive: &Trial, resilient: &Trial, axis: Axis) -> Figure {
    let offered = Line {
        words: "offered to each side",
        colour: "var(--muted)",
        dashes: Some("2 3"),
        width: 1.5,
        series: series::offered(&resilient.calls),
    };
    let given = |trial: &Trial, words| of_side(trial.side, words, series::goodput(&trial.calls));
    let lines = [
        offered,
        given(naive, "naive: promises given"),
        given(resilient, "resilient: promises given"),
    ];
    let says = [naive, resilient].map(|trial| {
        let promised = trial.calls.iter().filter(|call| call.is_promised()).count();
        let most = peak(&series::goodput(&trial.calls));
        let idle = idle_seconds(trial);
        format!(
            "{}: {} of {} calls got a promise (200 or 202), at most {most:.0} in a second; in {idle} of the load's \
             seconds none was given.",
            trial.side,
            count(promised),
            count(trial.calls.len()),
        )
    });
    figure(
        "Offered load and goodput",
        "calls per second, over seconds from the start of the load; a promise counts in the second in which it was given",
        &lines,
        layout(axis, &lines, HEIGHT),
        &[naive, resilient],
        says.to_vec(),
    )
}

/// How hard each side knocks at the dependency.
pub(in super::super) fn arrivals(naive: &Trial, resilient: &Trial, axis: Axis) -> Figure {
    let of = |trial: &Trial| series::arrivals(&trial.samples);
    let lines = [
        of_side(Side::Naive, "naive", of(naive)),
        of_side(Side::Resilient, "resilient", of(resilient)),
    ];
    let says = [naive, resilient].map(|trial| {
        let series = of(trial);
        if series.iter().flatten().next().is_none() {
            return format!("{}: the worker's count could not be read.", trial.side);
        }
        let all: f64 = series.iter().flatten().sum();
        let most = peak(&series);
        format!(
            "{}: {} requests arrived at the worker for {} calls, at most {most:.0} in a second.",
            trial.side,
            count(format!("{all:.0}")),
            count(trial.calls.len()),
        )
    });
    figure(
        "Attempts at the dependency",
        "arrivals at the worker per second, counted there or on the link to it, over seconds from the start of the load; \
         a gap: it could not tell",
        &lines,
        layout(axis, &lines, HEIGHT),
        &[naive, resilient],
        says.to_vec(),
    )
}

/// What the resilient side has promised and not done yet; none: it never owed anything.
pub(in super::super) fn owed(resilient: &Trial, axis: Axis) -> Option<Figure> {
    let open = series::highest(&resilient.samples, |sample| sample.open_work);
    let journal = series::highest(&resilient.samples, |sample| sample.journal_entries);
    let (most_open, most_journal) = (peak(&open), peak(&journal));
    if most_open.max(most_journal) < 1.0 {
        return None;
    }
    let last = |series: &[Option<f64>]| series.iter().flatten().last().copied().unwrap_or_default();
    let says = format!(
        "resilient: at most {most_open:.0} requests were owed at once, {:.0} at the last look; the journal held at most \
         {most_journal:.0} entries, {:.0} at the last look.",
        last(&open),
        last(&journal),
    );
    let mut lines = vec![of_side(Side::Resilient, "accepted and not done", open)];
    if most_journal > 0.0 {
        lines.push(Line {
            words: "entries in the journal",
            colour: "var(--purple)",
            dashes: Some("6 3"),
            width: 2.0,
            series: journal,
        });
    }
    Some(figure(
        "What is owed",
        "requests, over seconds from the start of the load; the highest value of each second; resilient only: naive keeps no \
         account",
        &lines,
        layout(axis, &lines, OWED_HEIGHT).with_ticks(4),
        &[resilient],
        vec![says],
    ))
}

/// Each side met the fault in a run of its own: where all did, the shades add up to that of the other plots.
fn figure(
    title: &'static str,
    axes: &str,
    lines: &[Line],
    mut layout: Layout,
    trials: &[&Trial],
    says: Vec<String>,
) -> Figure {
    let weight = if trials.len() > 1 { 0.5 } else { 1.0 };
    for trial in trials {
        layout = canvas::shaded(layout, &trial.faults, weight);
    }
    let plots = lines.iter().flat_map(steps).collect();
    let named = trials.last().map_or(&[][..], |trial| &trial.faults);
    let key = |line: &Line| canvas::line_key(line.words, line.colour, line.width, line.dashes);
    Figure {
        title,
        axes: axes.to_owned(),
        panels: vec![canvas::draw("", plots, layout, named, |_, _| {})],
        legend: lines.iter().map(key).chain([canvas::fault_key()]).collect(),
        says,
    }
}

/// High enough for all lines.
fn layout(axis: Axis, lines: &[Line], height: u32) -> Layout {
    let peaks = lines.iter().map(|line| peak(&line.series));
    axis.layout((0.0, canvas::above(peaks.fold(0.0, f64::max))), height)
}

fn of_side(side: Side, words: &'static str, series: Vec<Option<f64>>) -> Line {
    let (colour, dashes) = match side {
        Side::Naive => ("var(--vermilion)", Some("6 3")),
        Side::Resilient | Side::Contender => ("var(--blue)", None),
    };
    Line {
        words,
        colour,
        dashes,
        width: 2.0,
        series,
    }
}

/// A line for each stretch of known seconds, level within each second.
#[expect(clippy::cast_precision_loss, reason = "seconds of a run")]
fn steps(line: &Line) -> Vec<Plot> {
    let mut stretches: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut going_on = false;
    for (second, value) in line.series.iter().enumerate() {
        let Some(value) = *value else {
            going_on = false;
            continue;
        };
        if !going_on {
            stretches.push(Vec::new());
        }
        going_on = true;
        let from = second as f64;
        if let Some(stretch) = stretches.last_mut() {
            stretch.extend([(from, value), (from + 1.0, value)]);
        }
    }
    let drawn = stretches.into_iter().map(|points| {
        let style = line.dashes.map_or(LineStyle::Solid, |dashes| {
            LineStyle::Custom(dashes.to_owned())
        });
        LinePlot::new()
            .with_data(points)
            .with_color(line.colour)
            .with_stroke_width(line.width)
            .with_line_style(style)
            .into()
    });
    drawn.collect()
}

/// Seconds in which calls arrived and no promise was given.
fn idle_seconds(trial: &Trial) -> usize {
    let given = series::goodput(&trial.calls);
    let seconds = usize::try_from(trial.lasts.as_secs()).unwrap_or(usize::MAX);
    (0..seconds)
        .filter(|second| given.get(*second).copied().flatten().unwrap_or_default() < 1.0)
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_interrupted_where_nobody_could_tell() {
        let line = of_side(
            Side::Naive,
            "naive",
            vec![Some(1.0), Some(2.0), None, Some(3.0)],
        );
        let stretches: Vec<usize> = steps(&line)
            .into_iter()
            .map(|plot| match plot {
                Plot::Line(line) => line.data.len(),
                _ => 0,
            })
            .collect();
        assert_eq!(stretches, [4, 2]);
    }
}
