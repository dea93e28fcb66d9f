//! What all plots share: the time axis, the margins, the colours, the fault windows; and kuva's drawing, unwrapped.

use kuva::prelude::{Layout, Plot, ShadedRegion, SvgBackend, Theme, TickFormat};
use kuva::render::layout::ComputedLayout;
use kuva::render::render::{Primitive, Scene, TextAnchor, render_multiple};

use super::{Key, Panel};
use holdfast_checker::trial::{FaultWindow, Trial};

/// All plots are this wide, in their own units; the page scales them.
const WIDTH: u32 = 760;
const LEFT: f64 = 54.0;
const RIGHT: f64 = 10.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 28.0;
/// Ticks on the time axis, about.
const TICKS: f64 = 9.0;
/// A letter of the plots' text, about.
const LETTER: f64 = 6.6;
const TEXT: u32 = 12;
pub(super) const INK: &str = "var(--ink)";

#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) struct Axis {
    /// Where it ends, in seconds. It begins at the start of the load.
    pub(super) until: f64,
}

impl Axis {
    /// Long enough for both sides' calls and faults.
    pub(in super::super) fn of(trials: [&Trial; 2]) -> Self {
        let ends = trials.into_iter().flat_map(|trial| {
            let ends = trial.calls.iter().map(|call| call.ended);
            let heals = trial.faults.iter().map(|fault| fault.to);
            ends.chain(heals).chain([trial.lasts])
        });
        let last = ends.max().unwrap_or_default().as_secs_f64();
        Self {
            until: last.ceil().max(1.0),
        }
    }

    pub(super) fn layout(self, y: (f64, f64), height: u32) -> Layout {
        Layout::new((0.0, self.until), y)
            .with_x_axis_min(0.0)
            .with_x_axis_max(self.until)
            .with_y_axis_min(y.0)
            .with_y_axis_max(y.1)
            .with_width(f64::from(WIDTH))
            .with_height(f64::from(height))
            .with_force_margins(LEFT, RIGHT)
            .with_force_margins_y(TOP, BOTTOM)
            .with_x_tick_step(step(self.until / TICKS))
            .with_y_tick_format(TickFormat::Auto)
            .with_tick_size(TEXT)
            .with_tick_length(4.0)
            .with_theme(theme())
    }
}

/// Behind the plot, where the faults were in force; the weaker the more sides there are to be laid over each other.
pub(super) fn shaded(mut layout: Layout, faults: &[FaultWindow], weight: f64) -> Layout {
    for fault in faults {
        let window = ShadedRegion::vertical(fault.from.as_secs_f64(), fault.to.as_secs_f64());
        let window = window.with_color("var(--fault)").with_opacity(weight);
        layout = layout.with_shaded_region(window);
    }
    layout
}

/// Draws, and names the faults above their windows.
pub(super) fn draw(
    heading: impl Into<String>,
    plots: Vec<Plot>,
    layout: Layout,
    faults: &[FaultWindow],
    more: impl FnOnce(&mut Scene, &ComputedLayout),
) -> Panel {
    let computed = ComputedLayout::from_layout(&layout);
    let mut scene = render_multiple(plots, layout);
    scene.background_color = None;
    name_faults(&mut scene, &computed, faults);
    more(&mut scene, &computed);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "set above, from a whole number"
    )]
    let height = scene.height as u32;
    Panel {
        heading: heading.into(),
        size: (WIDTH, height),
        drawing: inside(&SvgBackend::new().render_scene(&scene)),
    }
}

/// Of a legend: whatever is added to an empty scene of 24 by 12.
pub(super) fn key(words: impl Into<String>, add: impl FnOnce(&mut Scene)) -> Key {
    let mut scene = Scene::new(24.0, 12.0);
    scene.background_color = None;
    add(&mut scene);
    Key {
        drawing: inside(&SvgBackend::new().render_scene(&scene)),
        words: words.into(),
    }
}

/// Of a legend: the plot alone, without axes, drawn around (1, 1).
pub(super) fn key_of_plot(words: &str, plot: Plot) -> Key {
    let bare = Theme {
        axis_color: "none".to_owned(),
        tick_color: "none".to_owned(),
        show_grid: false,
        ..theme()
    };
    let mut layout = Layout::new((0.0, 2.0), (0.0, 2.0))
        .with_width(24.0)
        .with_height(12.0)
        .with_force_margins(0.0, 0.0)
        .with_force_margins_y(0.0, 0.0)
        .with_x_axis_max(2.0)
        .with_y_axis_max(2.0)
        .with_theme(bare)
        .with_show_grid(false);
    layout.suppress_x_ticks = true;
    layout.suppress_y_ticks = true;
    let drawn = render_multiple(vec![plot], layout);
    key(words, |scene| scene.elements = drawn.elements)
}

/// The legend's entry for the windows.
pub(super) fn fault_key() -> Key {
    key("a fault in force, as observed", |scene| {
        scene.add(rect((2.0, 0.0), (20.0, 12.0), "var(--fault)"));
    })
}

/// The legend's entry for a line.
pub(super) fn line_key(words: &str, colour: &str, width: f64, dashes: Option<&str>) -> Key {
    key(words, |scene| {
        scene.add(Primitive::Line {
            x1: 0.0,
            y1: 6.0,
            x2: 24.0,
            y2: 6.0,
            stroke: colour.into(),
            stroke_width: width,
            stroke_dasharray: dashes.map(str::to_owned),
        });
    })
}

pub(super) fn rect((x, y): (f64, f64), (width, height): (f64, f64), fill: &str) -> Primitive {
    Primitive::Rect {
        x,
        y,
        width,
        height,
        fill: fill.into(),
        stroke: None,
        stroke_width: None,
        opacity: None,
    }
}

/// A text in the plots' size.
pub(super) fn text(
    (x, y): (f64, f64),
    anchor: TextAnchor,
    ink: &str,
    content: String,
) -> Primitive {
    Primitive::Text {
        x,
        y,
        content,
        size: TEXT,
        anchor,
        rotate: None,
        bold: false,
        color: Some(ink.into()),
    }
}

/// A scale's end above the largest value, with some air.
pub(super) fn above(largest: f64) -> f64 {
    (largest * 1.12).max(1.0)
}

/// The name where it fits, else the number it has in the report's table.
fn name_faults(scene: &mut Scene, computed: &ComputedLayout, faults: &[FaultWindow]) {
    let mut free_from = f64::NEG_INFINITY;
    for (index, fault) in faults.iter().enumerate() {
        let from = computed.map_x(fault.from.as_secs_f64());
        let to = computed.map_x(fault.to.as_secs_f64());
        let number = (index + 1).to_string();
        let long = format!("{number} {}", fault.name);
        let middle = f64::midpoint(from, to);
        let half = |name: &str| width_of(name) / 2.0;
        let next = faults.get(index + 1).map_or(computed.width, |next| {
            computed.map_x(next.from.as_secs_f64())
        });
        let fits = middle - half(&long) > free_from && middle + half(&long) < next;
        let name = if fits { long } else { number };
        if middle - half(&name) > free_from {
            free_from = middle + half(&name);
            scene.add(text((middle, TOP - 8.0), TextAnchor::Middle, INK, name));
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "letters of a label")]
pub(super) fn width_of(text: &str) -> f64 {
    text.chars().count() as f64 * LETTER
}

/// A round number not below the given.
fn step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor()).max(1.0);
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= least)
        .unwrap_or(power)
}

/// Chrome in the page's own colours.
fn theme() -> Theme {
    let ink = || "var(--muted)".to_owned();
    Theme {
        axis_color: "var(--axis)".to_owned(),
        grid_color: "var(--grid)".to_owned(),
        tick_color: "var(--axis)".to_owned(),
        text_color: ink(),
        ..Theme::light()
    }
}

/// Without the outer element: the page has one of its own, with a name and a box that scales.
fn inside(svg: &str) -> String {
    let content = svg.split_once('>').map_or("", |(_, content)| content);
    content.trim_end().trim_end_matches("</svg>").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_the_time_axis_are_round() {
        assert!((step(0.3) - 1.0).abs() < 1e-9);
        assert!((step(3.4) - 5.0).abs() < 1e-9);
        assert!((step(11.0) - 20.0).abs() < 1e-9);
        assert!((step(61.0) - 100.0).abs() < 1e-9);
    }

    #[test]
    fn a_drawing_comes_without_its_outer_element() {
        let key = key("a < b", |scene| {
            scene.add(text((0.0, 0.0), TextAnchor::Start, INK, "<b>".to_owned()));
        });
        assert!(
            !key.drawing.contains("<svg") && !key.drawing.contains("</svg"),
            "{}",
            key.drawing
        );
        assert!(key.drawing.contains("&lt;b&gt;"), "{}", key.drawing);
    }
}
