//! How the writes of live calls are gathered: rows in one statement, and how long the first of them waited.

use metrics::{describe_histogram, histogram};

use crate::store::{FlushMetrics, LiveMetrics};

/// Powers of two, up to the most rows of one statement.
pub(super) const ROWS: &str = "holdfast_write_batch_rows";
pub(super) const ROW_BUCKETS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];
const QUEUED: &str = "holdfast_write_queue_seconds";

/// The histograms of every kind of write.
pub(super) fn writes() -> LiveMetrics {
    describe_histogram!(ROWS, "Rows written by one statement");
    describe_histogram!(
        QUEUED,
        "What the first row of a statement waited for it to begin"
    );
    LiveMetrics {
        unkeyed: flushes("unkeyed"),
        keyed: flushes("keyed"),
    }
}

fn flushes(write: &'static str) -> FlushMetrics {
    FlushMetrics {
        rows: histogram!(ROWS, "write" => write),
        queued: histogram!(QUEUED, "write" => write),
    }
}
