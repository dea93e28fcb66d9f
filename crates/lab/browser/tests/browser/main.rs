//! The API's page in a real browser, over a system that is broken and healed under it. Run by `make browser`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says bluntly what it expects"
)]

mod chromium;
mod page;
mod steps;
mod system;

use chromium::Chromium;
use page::Page;
use system::System;
use tokio::task::{LocalSet, spawn_local};

#[tokio::test]
#[ignore = "drives a browser over a whole stage: run by make browser"]
async fn the_page_shows_what_breaks_and_what_heals() {
    let chromium = Chromium::start().await;
    let system = System::up().await;
    let page = Page::open(chromium.session().await, system.base()).await;
    // A task, so that browser and system end also when a step fails.
    let task = async { spawn_local(play(system.clone(), page.clone())).await };
    let played = LocalSet::new().run_until(task).await;
    page.close().await;
    system.down().await;
    played.unwrap();
}

/// Each step leaves the system healthy for the next.
async fn play(system: System, page: Page) {
    steps::is_live_and_healthy(&page).await;
    steps::says_that_nobody_calls(&page).await;
    steps::gives_its_stream_back_while_hidden(&page).await;
    steps::can_be_used_by_keyboard_alone(&page).await;
    steps::fits_a_phone(&page).await;
    steps::sends_traffic_to_both(&page).await;
    steps::shows_a_dead_worker(&system, &page).await;
    steps::shows_a_dead_database(&system, &page).await;
    steps::shows_hung_calls_and_keeps_its_other_connections(&system, &page).await;
    steps::comes_back_with_the_api(&system, &page).await;
    steps::breaks_and_heals_by_its_buttons(&system, &page).await;
    page.has_logged_no_error().await;
}
