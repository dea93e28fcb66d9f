//! The API as a process of its own: one that can be killed.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use holdfast_ops::probe;
use holdfast_testbed::ports;
use tempfile::NamedTempFile;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use super::TestConfig;

const READY_WITHIN: Duration = Duration::from_secs(20);

/// It is killed when it is dropped, at the latest.
pub(crate) struct Process {
    pub(crate) address: SocketAddr,
    child: Child,
    _policies: NamedTempFile,
}

impl Process {
    /// Starts it, and waits until it is ready.
    pub(crate) async fn start(config: &TestConfig) -> Self {
        let policies = config.policy_file();
        let address = SocketAddr::from(([127, 0, 0, 1], ports::free().unwrap()));
        let child = Command::new(env!("CARGO_BIN_EXE_holdfast-api"))
            .env("HOLDFAST_BIND", address.to_string())
            .envs(config.variables(&policies))
            .env("RUST_LOG", "off")
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let started = Instant::now();
        while probe::ready(address, READY_WITHIN).await.is_err() {
            assert!(started.elapsed() < READY_WITHIN, "it never became ready");
            sleep(Duration::from_millis(20)).await;
        }
        Self {
            address,
            child,
            _policies: policies,
        }
    }

    /// SIGKILL: it has no chance to finish anything.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}
