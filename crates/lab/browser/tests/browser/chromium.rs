//! Chromium without a window, and the driver that is told what to do with it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use holdfast_ops::Environment;
use holdfast_system::debian;
use holdfast_system::settings::Settings;
use holdfast_testbed::ports;
use thirtyfour::prelude::{ChromiumLikeCapabilities, DesiredCapabilities, WebDriver};
use thirtyfour::{ChromeCapabilities, LoggingPrefsLogLevel};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

const DRIVER: &str = "chromedriver";
/// Debian's; it brings the browser.
const PACKAGE: &str = "chromium-driver";
const READY_WITHIN: Duration = Duration::from_secs(20);

/// The driver's process; it ends with this value.
pub(crate) struct Chromium {
    base: String,
    _driver: Child,
}

impl Chromium {
    /// Starts the driver; on Debian as root, installs it where it is missing.
    pub(crate) async fn start() -> Self {
        let program = match on_path() {
            Some(program) => program,
            None => installed().await,
        };
        let port = ports::free().unwrap();
        let driver = Command::new(program)
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self {
            base: format!("http://127.0.0.1:{port}"),
            _driver: driver,
        }
    }

    /// A browser with one empty page.
    pub(crate) async fn session(&self) -> WebDriver {
        let started = Instant::now();
        loop {
            match WebDriver::new(&self.base, capabilities()).await {
                Ok(driver) => return driver,
                Err(error) if started.elapsed() > READY_WITHIN => panic!("no browser: {error}"),
                Err(_) => sleep(Duration::from_millis(100)).await,
            }
        }
    }
}

fn capabilities() -> ChromeCapabilities {
    let mut capabilities = DesiredCapabilities::chrome();
    let arguments = [
        "--headless=new",
        // In a container there is no sandbox to be had, and root gets none.
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--window-size=1280,900",
    ];
    for argument in arguments {
        capabilities.add_arg(argument).unwrap();
    }
    capabilities
        .set_browser_log_level(LoggingPrefsLogLevel::All)
        .unwrap();
    capabilities
}

fn on_path() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(DRIVER))
        .find(|program| program.is_file())
}

async fn installed() -> PathBuf {
    let environment = Environment::of_process();
    let settings = Settings::read(&environment, Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let got = debian::install(PACKAGE, &settings).await;
    got.unwrap_or_else(|error| panic!("{DRIVER} is missing: {error}; {:?}", error.help()));
    on_path().unwrap()
}
