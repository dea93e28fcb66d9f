//! The system under the page: a local stage of the test's own, under quick policies.

use std::path::{Path, PathBuf};

use holdfast_lab::control::Control;
use holdfast_ops::Environment;
use holdfast_system::settings::{Ports, Settings};
use holdfast_system::stage::{Local, Service, Stage};
use holdfast_testbed::output::Console;
use holdfast_testbed::ports;

/// Quick, so that a few calls a second find a free connection even where the machine is busy.
const WORK_DELAY: &str = "150ms";
/// What operators show.
pub(crate) const ADMIN_TOKEN: &str = "the-operators-own";

/// Worker, API and Postgres as processes of this machine, to be broken by the test.
#[derive(Clone)]
pub(crate) struct System {
    stage: Local,
    base: String,
}

impl System {
    /// Starts all three; ends what a killed test has left.
    pub(crate) async fn up() -> Self {
        let environment = Environment::of_process();
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut settings = Settings::read(&environment, here).unwrap();
        settings.ports = Ports {
            api: ports::free().unwrap(),
            worker: ports::free().unwrap(),
            db: ports::free().unwrap(),
        };
        let policies = here.join("tests/browser/policies.toml");
        let passed_on = [
            ("HOLDFAST_WORK_DELAY", WORK_DELAY.into()),
            ("HOLDFAST_POLICIES", policies.to_string_lossy()),
            ("HOLDFAST_ADMIN_TOKEN", ADMIN_TOKEN.into()),
        ];
        let passed_on = passed_on.map(|(name, value)| (name.to_owned(), value.into_owned()));
        settings.passed_on.extend(passed_on);
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("browser");
        std::fs::create_dir_all(&folder).unwrap();
        let stage = Local::new(&settings, folder, Console::new(&environment));
        stage.down().await.unwrap();
        stage.up().await.unwrap();
        Self {
            stage,
            base: format!("http://127.0.0.1:{}", settings.ports.api),
        }
    }

    /// Where the API listens.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) async fn kill(&self, service: Service) {
        self.stage.kill(service).await.unwrap();
    }

    pub(crate) async fn start(&self, service: Service) {
        self.stage.start(service).await.unwrap();
    }

    pub(crate) async fn pause(&self, service: Service) {
        self.stage.pause(service).await.unwrap();
    }

    /// The page's address at a service that breaks and heals for it; it is served for as long as the test runs.
    pub(crate) async fn controlled(&self) -> String {
        let stage = Stage::Local(self.stage.clone());
        let control = Control::listen(0, &stage).await.unwrap();
        let url = control.url.clone();
        tokio::spawn(async move { control.serve().await });
        url
    }

    pub(crate) async fn down(&self) {
        self.stage.down().await.unwrap();
    }
}
