//! A run on the terminal, beside the pages of the report: of both sides, and of somebody else's API.

mod contender;
mod terminal;

pub use holdfast_report::{Facts, Listed, Others, Repeat, Report, Summary, Unplayed, html, index};

pub(super) use contender::contender;
pub use terminal::text;
