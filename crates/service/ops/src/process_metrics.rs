//! What any process can say of itself, under the names that Prometheus' own clients use. Read from `/proc`; where there
//! is none, the figures stay 0.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use metrics::{Gauge, describe_gauge, gauge};
use rustix::param::page_size;
use rustix::process::{Resource, getrlimit};

/// The gauges of this process.
pub struct ProcessMetrics {
    resident: Gauge,
    open_files: Gauge,
    max_files: Gauge,
}

impl ProcessMetrics {
    /// Every gauge, with the current recorder; `version` is that of the program. Taken as the start of the process, so
    /// call it early.
    #[must_use]
    pub fn new(version: &'static str) -> Self {
        describe();
        gauge!("holdfast_build_info", "version" => version).set(1.0);
        gauge!("process_start_time_seconds").set(unix_time());
        Self {
            resident: gauge!("process_resident_memory_bytes"),
            open_files: gauge!("process_open_fds"),
            max_files: gauge!("process_max_fds"),
        }
    }

    /// Sets them to how things are now.
    pub fn observe(&self) {
        if let Some(bytes) = resident_bytes() {
            self.resident.set(bytes);
        }
        if let Ok(files) = fs::read_dir("/proc/self/fd") {
            self.open_files.set(figure(files.count()));
        }
        let limit = getrlimit(Resource::Nofile).current;
        let limit = limit.and_then(|limit| usize::try_from(limit).ok());
        self.max_files.set(figure(limit.unwrap_or(usize::MAX)));
    }
}

fn unix_time() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64())
}

fn resident_bytes() -> Option<f64> {
    let pages = resident_pages(&fs::read_to_string("/proc/self/statm").ok()?)?;
    Some(figure(pages) * figure(page_size()))
}

/// The second field of `statm`.
fn resident_pages(statm: &str) -> Option<usize> {
    statm.split_whitespace().nth(1)?.parse().ok()
}

/// Far below what a double holds exactly, or so large that it does not matter.
#[expect(clippy::cast_precision_loss, reason = "see above")]
fn figure(count: usize) -> f64 {
    count as f64
}

fn describe() {
    for (name, what) in [
        ("holdfast_build_info", "Always 1; which version runs"),
        (
            "process_start_time_seconds",
            "When the process started, in seconds since 1970",
        ),
        (
            "process_resident_memory_bytes",
            "Memory that is not swapped out",
        ),
        ("process_open_fds", "Open files and sockets"),
        ("process_max_fds", "How many it may have open"),
    ] {
        describe_gauge!(name, what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resident_pages_are_the_second_figure() {
        assert_eq!(resident_pages("5120 384 256 90 0 200 0\n"), Some(384));
        assert_eq!(resident_pages(""), None);
    }

    #[test]
    fn this_process_has_memory() {
        assert!(resident_bytes().is_none_or(|bytes| bytes > 100_000.0));
    }
}
