//! The plots, as inline SVG: kuva draws, in the colours of the page's style sheet, so that one drawing serves light,
//! dark and paper.
//!
//! All plots of a report share one time axis: the same second stands at the same place in each.

mod breakers;
mod canvas;
mod latency;
mod rates;

pub(super) use breakers::breakers;
pub(super) use canvas::Axis;
pub(super) use latency::latency;
pub(super) use rates::{arrivals, load, owed};

/// A figure of the page: one drawing or several below each other, and what they say in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Figure {
    pub(super) title: &'static str,
    /// What is drawn over what, with units.
    pub(super) axes: String,
    pub(super) panels: Vec<Panel>,
    pub(super) legend: Vec<Key>,
    /// The drawing in words, with its key figures.
    pub(super) says: Vec<String>,
}

impl Figure {
    /// The title as the id of an element.
    pub(super) fn id(&self) -> String {
        self.title.to_lowercase().replace(' ', "-")
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Panel {
    /// Above the drawing; empty: none is needed.
    pub(super) heading: String,
    pub(super) size: (u32, u32),
    /// What stands inside the `svg` element. Escaped by the library that drew it.
    pub(super) drawing: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    /// What stands inside a small `svg` element of 24 by 12.
    pub(super) drawing: String,
    pub(super) words: String,
}

/// With ids that depend on nothing but a drawing's place, so that the same data give the same page.
///
/// The library counts the ids of its clips over the whole life of the process.
pub(super) fn numbered(mut figures: Vec<Figure>) -> Vec<Figure> {
    let drawings = figures.iter_mut().flat_map(|figure| {
        let panels = figure.panels.iter_mut().map(|panel| &mut panel.drawing);
        panels.chain(figure.legend.iter_mut().map(|key| &mut key.drawing))
    });
    for (number, drawing) in drawings.enumerate() {
        let mut parts = drawing.split("kuva-clip-");
        let mut renamed = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            renamed += &format!("clip-{number}");
            renamed += part.trim_start_matches(|letter: char| letter.is_ascii_digit());
        }
        *drawing = renamed;
    }
    figures
}
