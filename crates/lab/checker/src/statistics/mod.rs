//! What several trials say together: medians, how far they can be trusted, and how far the two sides lie apart.
//!
//! Pure, and the same for the same seed. One trial has a median and nothing else: no interval, no effect.

mod bootstrap;
mod effect;
mod summary;

pub use bootstrap::{Interval, interval, median};
pub use effect::{Effect, Magnitude, effect};
pub use summary::{Comparison, Summary, asked, compare};
