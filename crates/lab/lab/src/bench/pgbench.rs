//! The yardstick: the same two statements from pgbench, with nothing between it and Postgres.

use std::fs;
use std::path::{Path, PathBuf};

use holdfast_system::error::SystemError;
use tokio::process::Command;

use crate::error::LabError;
use crate::figures::{Figures, percentile};
use crate::program;

/// What the API does per request, in autocommit as there. The ids ascend, as UUIDv7 does: a counter, then the client.
const SCRIPT: &str = "\\set n :n + 1
\\set id :n * 65536 + :client_id
INSERT INTO requests (id, origin, payload) VALUES (lpad(to_hex(:id::bigint), 32, '0')::uuid, 'naive', NULL) \
ON CONFLICT (id) DO NOTHING;
UPDATE requests SET status = 'done', worker_response = '{\"status\":\"done\"}', attempts = 1, completed_at = now(), \
lease_until = NULL WHERE id = lpad(to_hex(:id::bigint), 32, '0')::uuid AND status = 'received';
";
/// More than one measurement can count.
const IDS_PER_RUN: u64 = 100_000_000;
/// More than any contender has.
const MOST_CLIENTS: u64 = 1_000;

/// pgbench, ready to be run.
pub(super) struct Pgbench {
    program: PathBuf,
    url: String,
    clients: u32,
    folder: PathBuf,
}

impl Pgbench {
    /// With `clients` sessions, each in turn with its two statements.
    pub(super) fn prepare(
        program: &Path,
        url: &str,
        clients: u32,
        folder: &Path,
    ) -> Result<Self, LabError> {
        let script = folder.join("pgbench.sql");
        fs::write(&script, SCRIPT).map_err(SystemError::file("write", &script))?;
        Ok(Self {
            program: program.to_owned(),
            url: url.to_owned(),
            clients,
            folder: folder.to_owned(),
        })
    }

    /// One measurement; any failed transaction is an error.
    pub(super) async fn run(&self, round: u32, seconds: u32) -> Result<Figures, LabError> {
        let clients = self.clients;
        let prefix = self.folder.join(format!("pgbench-{clients}-{round}"));
        let mut command = Command::new(&self.program);
        command
            .current_dir(&self.folder)
            .args(["--no-vacuum", "--protocol=prepared", "--jobs=2", "--log"])
            .arg("--file=pgbench.sql")
            .arg(format!("--client={clients}"))
            .arg(format!("--time={seconds}"))
            .arg(format!("--define=n={}", self.first_id(round)))
            .arg("--log-prefix")
            .arg(&prefix)
            .arg(&self.url);
        let output = program::output(&mut command).await?;
        let printed = String::from_utf8_lossy(&output.stdout);
        let complaint = String::from_utf8_lossy(&output.stderr);
        let void = |problem: &str| LabError::Measurement(format!("void: pgbench: {problem}"));
        let rate = rate(&printed).filter(|_| output.status.success());
        let per_second =
            rate.ok_or_else(|| void(complaint.lines().last().unwrap_or("no figures")))?;
        let mut latencies = self.take_latencies(&prefix)?;
        latencies.sort_by(f64::total_cmp);
        let (p50_ms, p99_ms) = (percentile(&latencies, 0.5), percentile(&latencies, 0.99));
        Ok(Figures {
            per_second,
            p50_ms,
            p99_ms,
        })
    }

    /// Apart from those of every other run against this database.
    fn first_id(&self, round: u32) -> u64 {
        (u64::from(round) * MOST_CLIENTS + u64::from(self.clients)) * IDS_PER_RUN
    }

    /// Reads the logs of one run, one file per thread, and deletes them.
    fn take_latencies(&self, prefix: &Path) -> Result<Vec<f64>, LabError> {
        let mut latencies = Vec::new();
        let files = fs::read_dir(&self.folder).map_err(SystemError::file("read", &self.folder))?;
        for file in files.flatten().map(|file| file.path()) {
            if file
                .to_string_lossy()
                .starts_with(&format!("{}.", prefix.display()))
            {
                let log = fs::read_to_string(&file).map_err(SystemError::file("read", &file))?;
                latencies.extend(log.lines().filter_map(latency_ms));
                fs::remove_file(&file).map_err(SystemError::file("delete", &file))?;
            }
        }
        Ok(latencies)
    }
}

fn rate(printed: &str) -> Option<f64> {
    let line = printed
        .lines()
        .find_map(|line| line.strip_prefix("tps = "))?;
    line.split(' ').next()?.parse().ok()
}

/// The third field is the transaction's time in microseconds.
fn latency_ms(line: &str) -> Option<f64> {
    line.split(' ')
        .nth(2)?
        .parse::<f64>()
        .ok()
        .map(|micros| micros / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_and_a_transactions_time_are_read() {
        let printed =
            "latency average = 3.751 ms\ntps = 4263.251 (without initial connection time)\n";
        assert!((rate(printed).unwrap() - 4263.251).abs() < 1e-9);
        assert_eq!(rate("pgbench: error"), None);
        assert!((latency_ms("0 199 2241 0 1175850568 995598").unwrap() - 2.241).abs() < 1e-9);
    }
}
