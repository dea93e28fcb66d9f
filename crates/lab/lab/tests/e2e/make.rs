//! Running make targets from the root of the checkout.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use tokio::time::Instant;

/// A stage, its make variables, and what it says of a killed service.
pub(crate) struct Stage {
    pub(crate) name: &'static str,
    pub(crate) settings: &'static [&'static str],
    /// The reasons by which a killed service may be known.
    pub(crate) gone: &'static [&'static str],
}

/// Takes the stage down when the test ends, however it ends.
pub(crate) struct Guard<'a>(&'a Stage);

impl Stage {
    pub(crate) fn guard(&self) -> Guard<'_> {
        Guard(self)
    }

    /// Runs `make TARGET`, with variables after a space, shows what it said and returns it.
    pub(crate) fn try_make(&self, target: &str) -> (Output, Duration) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(3)
            .unwrap();
        let started = Instant::now();
        let mut make = Command::new("make");
        make.arg("--no-print-directory")
            .args(target.split(' '))
            .arg(format!("STAGE={}", self.name));
        let output = make.args(self.settings).current_dir(root).output().unwrap();
        let took = started.elapsed();
        println!(
            "-- make {target}: {} in {:.1} s",
            output.status,
            took.as_secs_f64()
        );
        print!("{}", String::from_utf8_lossy(&output.stderr));
        print!("{}", String::from_utf8_lossy(&output.stdout));
        (output, took)
    }

    /// Runs `make TARGET`, which must succeed; returns how long it took.
    pub(crate) fn make(&self, target: &str) -> Duration {
        let (output, took) = self.try_make(target);
        assert!(output.status.success(), "make {target} failed");
        took
    }

    /// Runs `make TARGET`, which must succeed, and returns what it printed.
    pub(crate) fn make_says(&self, target: &str) -> String {
        let (output, _) = self.try_make(target);
        assert!(output.status.success(), "make {target} failed");
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.try_make("logs");
        }
        self.0.try_make("down");
    }
}
