//! Running code that is somebody else's: an observer's, a waker's.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Catches a panic of `code`, because it would hit a caller who has nothing to do with it, or abort the process if it
/// came from a drop during another panic.
pub(crate) fn run(code: impl FnOnce()) {
    // The panic hook has reported it; there is nobody else to tell. What it carries is leaked rather than dropped, for
    // that could panic again.
    if let Err(payload) = catch_unwind(AssertUnwindSafe(code)) {
        std::mem::forget(payload);
    }
}
