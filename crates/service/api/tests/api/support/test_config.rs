//! What the API under test is told: where its dependencies are, its policies, its journal, its operators' token.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use holdfast_api::{Application, Settings, StartError};
use holdfast_ops::Environment;
use tempfile::{NamedTempFile, TempDir};

/// The policies of the tests: the defaults, several times quicker, yet slow enough for a busy machine. In dotted keys, so
/// that a test can put its own in their place.
const QUICK: &str = r#"
worker.connect_timeout = "300ms"
worker.attempt_timeout = "600ms"
worker.deadline = "1300ms"
worker.retry.backoff = { initial = "20ms", max = "50ms" }
worker.breaker = { slow_call = "550ms", open_for = "500ms", max_open_for = "1s", ramp = "200ms" }
database.connect_timeout = "400ms"
database.attempt_timeout = "500ms"
database.deadline = "1100ms"
database.pool.max_wait = "300ms"
database.breaker = { slow_call = "450ms", open_for = "500ms", max_open_for = "1s", ramp = "200ms" }
journal.deadline = "500ms"
recovery.lease = "5s"
"#;

/// What operators show.
pub(crate) const ADMIN_TOKEN: &str = "the-operators-own";

/// What an API is started with: again, for a restart; with a folder of its own, for a second replica.
#[derive(Clone)]
pub(crate) struct TestConfig {
    pub(crate) worker_url: String,
    pub(crate) database_url: String,
    /// Laid over the quick ones.
    pub(crate) policies: String,
    pub(crate) journal: Arc<TempDir>,
    /// What operators must show; empty: nobody may.
    pub(crate) admin_token: &'static str,
}

impl TestConfig {
    /// By the API's own role: what a test does with Postgres, it does with the rights that are documented.
    pub(crate) fn new(worker_url: &str, database: SocketAddr, policies: &str) -> Self {
        let database_url = format!("postgres://holdfast_api:holdfast@{database}/holdfast");
        Self {
            worker_url: worker_url.to_owned(),
            database_url,
            policies: policies.to_owned(),
            journal: Arc::new(tempfile::tempdir().unwrap()),
            admin_token: ADMIN_TOKEN,
        }
    }

    /// The same, for another replica: the journal is its own.
    pub(crate) fn of_a_replica(&self) -> Self {
        Self {
            journal: Arc::new(tempfile::tempdir().unwrap()),
            ..self.clone()
        }
    }

    /// Builds the application as `main` does.
    pub(crate) fn build(&self) -> Result<Application, StartError> {
        let file = self.policy_file();
        let variables = self.variables(&file);
        let environment = Environment::from(variables.each_ref().map(|(name, it)| (*name, &**it)));
        let bind = SocketAddr::from(([127, 0, 0, 1], 0));
        Application::build(Settings::read(&environment, bind).unwrap())
    }

    /// The quick policies, with its own laid over them.
    pub(super) fn policy_file(&self) -> NamedTempFile {
        let mut file = NamedTempFile::new().unwrap();
        let policies = &self.policies;
        write!(file, "{}{policies}", quick_but_for(policies)).unwrap();
        file
    }

    pub(super) fn variables(&self, policies: &NamedTempFile) -> [(&'static str, String); 5] {
        let path = |path: &Path| path.to_str().unwrap().to_owned();
        [
            ("HOLDFAST_WORKER_URL", self.worker_url.clone()),
            ("DATABASE_URL", self.database_url.clone()),
            ("HOLDFAST_POLICIES", path(policies.path())),
            ("HOLDFAST_JOURNAL_DIR", path(self.journal.path())),
            ("HOLDFAST_ADMIN_TOKEN", self.admin_token.to_owned()),
        ]
    }
}

/// The quick policies without the keys that a test sets itself.
fn quick_but_for(policies: &str) -> String {
    let key = |line: &str| line.split(" =").next().unwrap().to_owned();
    let own: Vec<_> = policies.lines().map(key).collect();
    let kept = QUICK.lines().filter(|line| !own.contains(&key(line)));
    kept.map(|line| format!("{line}\n")).collect()
}
