//! A Prometheus of this command's own, and what it is asked. It ends with this value.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use holdfast_system::error::SystemError;
use jiff::Timestamp;
use reqwest::Url;
use serde_json::Value;
use tokio::process::Command;

use super::config;
use crate::logs;
use crate::ports;
use crate::process::{self, ProcessTree};
use crate::system::{Part, System};
use crate::wait::Patience;

const PROGRAM: &str = "prometheus";
const READY: Patience = Patience::new(Duration::from_secs(20), Duration::from_millis(50));
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const LOG_LINES: usize = 10;

/// A Prometheus that scrapes a system.
#[derive(Debug)]
pub(super) struct Server {
    tree: ProcessTree,
    client: reqwest::Client,
    base: String,
}

/// From when to when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
}

impl Server {
    /// Starts it in `folder`, on the repository's files, and waits until it is ready.
    pub(super) async fn start(
        folder: &Path,
        files: &Path,
        system: &System,
    ) -> Result<Self, SystemError> {
        let home = folder.join(PROGRAM);
        fs::create_dir_all(&home).map_err(SystemError::file("make", &home))?;
        let home = home
            .canonicalize()
            .map_err(SystemError::file("find", &home))?;
        let config = write_config(&home, files, system)?;
        let port = ports::free().map_err(SystemError::file("find", "a free port"))?;
        let mut command = Command::new(PROGRAM);
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                home.join("data").display()
            ))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"));
        let log = folder.join("prometheus.log");
        let leader = process::launch(command, &home, &log)?.identity;
        let server = Self {
            tree: ProcessTree {
                leader: Some(leader),
                home,
                program: PROGRAM.to_owned(),
            },
            client: client(),
            base: format!("http://127.0.0.1:{port}"),
        };
        server.ready(&log).await?;
        Ok(server)
    }

    /// Whether `expr` has a number to show at any moment of `range`, looked at each second.
    ///
    /// # Errors
    /// What came instead, in words.
    pub(super) async fn finds(&self, expr: &str, range: Range) -> Result<(), String> {
        let (start, end) = (range.start.to_string(), range.end.to_string());
        let parameters = [
            ("query", expr),
            ("start", &start),
            ("end", &end),
            ("step", "1"),
        ];
        let answer = self.ask("query_range", &parameters).await?;
        let series = answer["data"]["result"].as_array();
        let series = series.ok_or_else(|| format!("no result in {answer}"))?;
        if series.is_empty() {
            return Err("no data".to_owned());
        }
        let numbers = series.iter().any(has_a_number);
        numbers.then_some(()).ok_or_else(|| "no number".to_owned())
    }

    /// The rules that cannot be evaluated, and why.
    pub(super) async fn ailing_rules(&self) -> Result<Vec<String>, SystemError> {
        let answer = self.ask("rules", &[]).await;
        let answer = answer.map_err(|problem| SystemError::Program {
            command: PROGRAM.to_owned(),
            output: problem,
        })?;
        let groups = answer["data"]["groups"].as_array();
        let rules = groups.into_iter().flatten();
        let rules = rules.flat_map(|group| group["rules"].as_array().into_iter().flatten());
        let rules: Vec<_> = rules.collect();
        if rules.is_empty() {
            return Ok(vec!["Prometheus has no rules".to_owned()]);
        }
        let ailing = rules.iter().filter(|rule| rule["health"] != "ok");
        Ok(ailing
            .map(|rule| {
                format!(
                    "rule {}: {} {}",
                    rule["name"], rule["health"], rule["lastError"]
                )
            })
            .collect())
    }

    async fn ready(&self, log: &Path) -> Result<(), SystemError> {
        let mut wait = READY.begin();
        let url = format!("{}/-/ready", self.base);
        loop {
            let answer = self.client.get(&url).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            if !self.tree.is_alive() || wait.is_over().await {
                return Err(SystemError::Program {
                    command: PROGRAM.to_owned(),
                    output: logs::tail(log, LOG_LINES).join("\n"),
                });
            }
        }
    }

    async fn ask(&self, what: &str, parameters: &[(&str, &str)]) -> Result<Value, String> {
        let url = format!("{}/api/v1/{what}", self.base);
        let url = Url::parse_with_params(&url, parameters).map_err(|error| error.to_string())?;
        let answer = self.client.get(url).send().await;
        let answer = answer.map_err(|error| error.to_string())?;
        let answer: Value = answer.json().await.map_err(|error| error.to_string())?;
        match answer["error"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(answer),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.tree.kill_now();
    }
}

fn client() -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy().timeout(ANSWER_WITHIN);
    // Without TLS there is nothing in the builder that can fail.
    client.build().unwrap_or_default()
}

fn write_config(home: &Path, files: &Path, system: &System) -> Result<PathBuf, SystemError> {
    let ports = (system.port(Part::Api(0))?, system.port(Part::Worker)?);
    let original = files.join("prometheus.yml");
    let text = fs::read_to_string(&original).map_err(SystemError::file("read", &original))?;
    let made = config::for_this_machine(&text, &files.join("rules"), ports);
    let made = made.map_err(|problem| SystemError::Program {
        command: format!("reading {}", original.display()),
        output: problem,
    })?;
    let path = home.join("prometheus.yml");
    fs::write(&path, made).map_err(SystemError::file("write", &path))?;
    Ok(path)
}

/// Whether any sample of a series is one: a share of nothing is NaN.
fn has_a_number(series: &Value) -> bool {
    let samples = series["values"].as_array().into_iter().flatten();
    let mut values = samples.filter_map(|sample| sample[1].as_str()?.parse::<f64>().ok());
    values.any(f64::is_finite)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_series_of_nothing_but_nan_has_no_number() {
        assert!(!has_a_number(&json!({"values": [[1, "NaN"], [2, "+Inf"]]})));
        assert!(has_a_number(&json!({"values": [[1, "NaN"], [2, "0"]]})));
        assert!(!has_a_number(&json!({"values": []})));
    }
}
