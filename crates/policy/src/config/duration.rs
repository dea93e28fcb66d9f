//! Durations as text, `"250ms"`, in and out.

use std::time::Duration;

use jiff::fmt::friendly::{Designator, Spacing, SpanPrinter};
pub(super) use jiff::fmt::serde::unsigned_duration::friendly::compact::required::{
    deserialize, serialize,
};

/// As an operator would write it.
pub(super) fn text(duration: Duration) -> String {
    let printer = SpanPrinter::new()
        .designator(Designator::Compact)
        .spacing(Spacing::None);
    printer.unsigned_duration_to_string(&duration)
}
