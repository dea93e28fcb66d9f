//! The page as a reader has it: what it says under which name, what its keys do, how it looks.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use thirtyfour::prelude::{By, WebDriver};
use thirtyfour::{Key, WebElement};
use tokio::time::{Instant, sleep};

/// Longer than any breaker of the test stays open, than a lease runs and than the page takes to reconnect.
const WITHIN: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(50);
/// What a browser logs of calls that fail, whatever the page makes of it.
const FAILED_CALLS: [&str; 4] = [
    "/naive/process - ",
    "/process - ",
    "/events - ",
    "&limit=5 - ",
];

#[derive(Clone)]
pub(crate) struct Page {
    driver: WebDriver,
}

impl Page {
    pub(crate) async fn open(driver: WebDriver, base: &str) -> Self {
        let page = Self { driver };
        page.on_a_screen_of(1280, 900).await;
        page.goes_to(base).await;
        page
    }

    pub(crate) async fn goes_to(&self, address: &str) {
        self.driver.goto(address).await.unwrap();
    }

    pub(crate) async fn close(self) {
        self.driver.quit().await.unwrap();
    }

    pub(crate) async fn element(&self, id: &str) -> WebElement {
        let selector = By::Css(format!("[data-testid='{id}']"));
        self.driver.find(selector).await.unwrap()
    }

    pub(crate) async fn text(&self, id: &str) -> String {
        self.element(id).await.text().await.unwrap()
    }

    /// The figure that stands there; none where there is none.
    pub(crate) async fn figure(&self, id: &str) -> Option<u64> {
        self.text(id).await.replace(',', "").parse().ok()
    }

    /// Waits until an edge of the drawing looks so. The page is live before the drawing is there.
    pub(crate) async fn comes_to_show(&self, edge: &str, health: &str) {
        let selector = format!("[data-testid='edge-{edge}'][data-health='{health}']");
        let shows = async || {
            let found = self.driver.find_all(By::Css(selector.clone())).await;
            !found.unwrap().is_empty()
        };
        self.comes_to(&format!("the edge {edge} is {health}"), shows)
            .await;
    }

    /// Waits until the page says so. What says it need not be there yet: buttons come once the lab has answered.
    pub(crate) async fn comes_to_say(&self, id: &str, text: &str) {
        let selector = format!("[data-testid='{id}']");
        let says = async || {
            let found = self.driver.find_all(By::Css(selector.clone())).await;
            match found.unwrap().first() {
                Some(element) => element.text().await.unwrap() == text,
                None => false,
            }
        };
        self.comes_to(&format!("{id} says {text}"), says).await;
    }

    /// Waits until the figure is as it should be.
    pub(crate) async fn counts(&self, id: &str, enough: impl Fn(u64) -> bool) {
        let counts = async || self.figure(id).await.is_some_and(&enough);
        self.comes_to(&format!("{id} counts enough"), counts).await;
    }

    /// Waits until the headline begins so.
    pub(crate) async fn comes_to_head(&self, beginning: &str) {
        let says = async || self.text("headline").await.starts_with(beginning);
        self.comes_to(&format!("the headline says {beginning}"), says)
            .await;
    }

    /// Another tab comes before it, or goes: what the browser would tell the page then.
    pub(crate) async fn is_hidden(&self, hidden: bool) {
        let script = format!(
            "Object.defineProperty(document, 'hidden', {{ value: {hidden}, configurable: true }});\
            document.dispatchEvent(new Event('visibilitychange'));"
        );
        let _ = self.driver.execute(script, vec![]).await.unwrap();
    }

    pub(crate) async fn comes_to(&self, what: &str, reached: impl AsyncFn() -> bool) {
        let started = Instant::now();
        while !reached().await {
            if started.elapsed() > WITHIN {
                let main = self.driver.find(By::Tag("main")).await.unwrap();
                panic!("not reached: {what}\n{}", main.text().await.unwrap());
            }
            sleep(LOOK).await;
        }
    }

    pub(crate) async fn clicks(&self, id: &str) {
        self.element(id).await.click().await.unwrap();
    }

    /// The button of the first row of a list.
    pub(crate) async fn first_button(&self, list: &str) -> WebElement {
        let selector = By::Css(format!("[data-testid='{list}'] button"));
        self.driver.find(selector).await.unwrap()
    }

    /// Presses a key wherever the focus is.
    pub(crate) async fn press(&self, key: Key) {
        let focus = self.driver.active_element().await.unwrap();
        focus.send_keys(key + "").await.unwrap();
    }

    /// What has the focus, by its name for tests, else by its address.
    pub(crate) async fn focus(&self) -> String {
        let focus = self.driver.active_element().await.unwrap();
        for attribute in ["data-testid", "href"] {
            if let Some(name) = focus.attr(attribute).await.unwrap() {
                return name;
            }
        }
        focus.tag_name().await.unwrap()
    }

    /// Shows the page on a screen of this size.
    pub(crate) async fn on_a_screen_of(&self, width: u32, height: u32) {
        let screen = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500});
        let cdp = self.driver.cdp();
        let _ = cdp
            .send_raw("Emulation.setDeviceMetricsOverride", screen)
            .await
            .unwrap();
    }

    /// How much wider the page is than the screen.
    pub(crate) async fn sticks_out_by(&self) -> i64 {
        let script =
            "const page = document.documentElement; return page.scrollWidth - page.clientWidth;";
        let said = self.driver.execute(script, vec![]).await.unwrap();
        said.convert().unwrap()
    }

    /// Keeps a picture of the page's top, under the folder that `SCREENSHOTS` names.
    pub(crate) async fn picture(&self, name: &str) {
        let folder = holdfast_ops::Environment::of_process();
        let folder = folder.get("SCREENSHOTS").map_or_else(
            || PathBuf::from(env!("CARGO_TARGET_TMPDIR")),
            |named| {
                PathBuf::from(env!("CARGO_MANIFEST_DIR"))
                    .join("../../..")
                    .join(named)
            },
        );
        std::fs::create_dir_all(&folder).unwrap();
        let top = self.driver.execute("scrollTo(0, 0)", vec![]);
        let _ = top.await.unwrap();
        let file = folder.join(format!("page-{name}.png"));
        self.driver.screenshot(&file).await.unwrap();
    }

    /// Nothing but calls that failed because what they called was broken.
    pub(crate) async fn has_logged_no_error(&self) {
        let log = self.driver.browser_log().await.unwrap();
        let errors: Vec<_> = log
            .iter()
            .filter(|entry| !FAILED_CALLS.iter().any(|call| entry.message.contains(call)))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}
