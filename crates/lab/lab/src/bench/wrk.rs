//! Load on an endpoint with wrk: each connection calls as soon as it has its answer, or at a pace.

use std::fs;
use std::path::{Path, PathBuf};

use holdfast_system::error::SystemError;
use tokio::process::Command;

use crate::error::LabError;
use crate::figures::Figures;
use crate::program;

const THREADS: u32 = 2;
/// Each connection waits for a while drawn anew before each call, on average for the first argument, in milliseconds.
const PACE: &str = "function init(arguments) pause = tonumber(arguments[1]) end
function delay() return math.random() * 2 * pause end
";
const PACE_FILE: &str = "pace.lua";

/// An endpoint under load from so many connections.
pub(super) struct Wrk {
    url: String,
    connections: u32,
    pace: PathBuf,
}

/// Writes what [`Wrk::run`] needs for a rate.
pub(super) fn write_pace(folder: &Path) -> Result<(), SystemError> {
    let file = folder.join(PACE_FILE);
    fs::write(&file, PACE).map_err(SystemError::file("write", file))
}

impl Wrk {
    pub(super) fn new(url: String, connections: u32, folder: &Path) -> Self {
        Self {
            url,
            connections,
            pace: folder.join(PACE_FILE),
        }
    }

    /// One measurement, at about `rate` calls a second if that is given; any answer but a 2xx and any broken connection is
    /// an error.
    pub(super) async fn run(&self, seconds: u32, rate: Option<f64>) -> Result<Figures, LabError> {
        let mut command = Command::new("wrk");
        command
            .arg(format!("-t{}", THREADS.min(self.connections)))
            .arg(format!("-c{}", self.connections))
            .arg(format!("-d{seconds}s"))
            .args(["--latency", "--timeout", "10s"]);
        if rate.is_some() {
            command.arg("--script").arg(&self.pace);
        }
        command.arg(&self.url);
        if let Some(rate) = rate {
            let pause = f64::from(self.connections) * 1_000.0 / rate;
            command.arg("--").arg(format!("{pause:.1}"));
        }
        let output = program::output(&mut command).await?;
        read(&String::from_utf8_lossy(&output.stdout))
            .map_err(|problem| LabError::Measurement(format!("void: {}: {problem}", self.url)))
    }
}

fn read(text: &str) -> Result<Figures, String> {
    if let Some(errors) = text
        .lines()
        .find(|line| line.contains("Socket errors") || line.contains("Non-2xx"))
    {
        return Err(errors.trim().to_owned());
    }
    let after = |start: &str| {
        text.lines()
            .find_map(|line| line.trim().strip_prefix(start))
            .map(str::trim)
    };
    let rate = after("Requests/sec:").and_then(|rate| rate.parse().ok());
    let latency = |start| after(start).and_then(milliseconds);
    match (rate, latency("50%"), latency("99%")) {
        (Some(per_second), Some(p50_ms), Some(p99_ms)) => Ok(Figures {
            per_second,
            p50_ms,
            p99_ms,
        }),
        _ => Err(format!("wrk said {}", text.trim().replace('\n', " | "))),
    }
}

/// From `12.34ms`, `850.00us`, `1.20s` or `1.00m`.
fn milliseconds(text: &str) -> Option<f64> {
    let unit = text.find(|letter: char| letter.is_alphabetic())?;
    let (number, unit) = text.split_at(unit);
    let factor = match unit {
        "us" => 0.001,
        "ms" => 1.0,
        "s" => 1_000.0,
        "m" => 60_000.0,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "  Latency Distribution\n     50%  850.00us\n     75%    1.20ms\n     90%   2.00ms\n     \
        99%    1.50s \n  26850 requests in 10.00s, 5.00MB read\nRequests/sec:   2685.12\nTransfer/sec: 1MB\n";

    #[test]
    fn rate_and_percentiles_are_read_in_any_unit() {
        let figures = read(OUTPUT).unwrap();
        assert!((figures.per_second - 2685.12).abs() < 1e-9);
        assert!((figures.p50_ms - 0.85).abs() < 1e-9);
        assert!((figures.p99_ms - 1500.0).abs() < 1e-9);
    }

    #[test]
    fn an_error_voids_the_measurement_and_is_quoted() {
        let errors = format!("{OUTPUT}  Non-2xx or 3xx responses: 12\n");
        assert_eq!(read(&errors).unwrap_err(), "Non-2xx or 3xx responses: 12");
        let errors = format!("{OUTPUT}  Socket errors: connect 0, read 1, write 0, timeout 0\n");
        assert!(read(&errors).unwrap_err().starts_with("Socket errors"));
        assert!(
            read("unable to connect")
                .unwrap_err()
                .contains("unable to connect")
        );
    }
}
