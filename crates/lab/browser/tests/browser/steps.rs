//! What the page must show, step by step.

use std::time::Duration;

use holdfast_system::stage::Service;
use thirtyfour::Key;
use tokio::time::sleep;

use crate::page::Page;
use crate::system::{ADMIN_TOKEN, System};

/// Long enough for the chart to have something to show.
const A_WHILE: Duration = Duration::from_secs(6);
/// Calls of the page that the API has in hand at any moment: they are open, and not late.
const UNDER_WAY: u64 = 4;
const WORKER_OPENED: &str = "Worker: breaker closed → open";
const EDGES: [&str; 4] = ["api", "worker", "database", "journal"];

pub(crate) async fn is_live_and_healthy(page: &Page) {
    page.comes_to_say("connection", "live").await;
    for dependency in ["worker", "database"] {
        page.comes_to_say(&format!("breaker-{dependency}"), "closed")
            .await;
        let failures = format!("{dependency}-failures");
        let judged = async || page.text(&failures).await.ends_with("opens at 50 %");
        page.comes_to("the threshold is shown", judged).await;
    }
    for edge in EDGES {
        page.comes_to_show(edge, "healthy").await;
    }
    page.comes_to_say("journal-entries", "0").await;
    page.comes_to_say("open-work", "0").await;
    page.comes_to_say("failed-note", "nothing").await;
    assert!(page.text("limit").await.ends_with(" at once"));
    assert!(page.text("endpoints").await.contains("breaker closed"));
}

pub(crate) async fn can_be_used_by_keyboard_alone(page: &Page) {
    let mut reached = Vec::new();
    for _ in 0..20 {
        page.press(Key::Tab).await;
        reached.push(page.focus().await);
        if reached.last().unwrap() == "traffic" {
            page.press(Key::Space).await;
            assert_eq!(page.text("traffic").await, "Stop traffic");
            page.press(Key::Space).await;
            assert_eq!(page.text("traffic").await, "Send traffic");
        }
    }
    let expected = [
        "#main",
        "rate",
        "traffic",
        "copy-kill-worker",
        "copy-start-db",
        "/status",
    ];
    let mut rest = reached.iter();
    for name in expected {
        assert!(
            rest.any(|it| it.ends_with(name)),
            "{name} is not in its place: {reached:?}"
        );
    }
}

pub(crate) async fn fits_a_phone(page: &Page) {
    page.on_a_screen_of(360, 740).await;
    assert_eq!(page.sticks_out_by().await, 0, "it scrolls sideways");
    page.picture("phone").await;
    page.on_a_screen_of(1280, 900).await;
}

pub(crate) async fn says_that_nobody_calls(page: &Page) {
    page.comes_to_head("Nobody calls").await;
    let worker = page.text("dependency-worker").await;
    assert!(worker.contains("Nobody called it lately"), "{worker}");
    page.picture("quiet").await;
}

pub(crate) async fn gives_its_stream_back_while_hidden(page: &Page) {
    page.is_hidden(true).await;
    page.comes_to_say("connection", "paused while hidden").await;
    page.is_hidden(false).await;
    page.comes_to_say("connection", "live").await;
}

pub(crate) async fn sends_traffic_to_both(page: &Page) {
    page.clicks("traffic").await;
    // Offered once the page has seen that calls are quick enough for so many.
    page.counts("naive-done", |done| done > 0).await;
    let rate = page.element("rate").await;
    let offered = async || !rate.text().await.unwrap().contains("too fast");
    page.comes_to("five calls a second are offered", offered)
        .await;
    rate.send_keys("5").await.unwrap();
    sleep(A_WHILE).await;
    page.counts("naive-done", |done| done > 5).await;
    page.counts("resilient-done", |done| done > 5).await;
    page.comes_to_head("Nothing is broken: naive answers all")
        .await;
    page.picture("healthy").await;
}

pub(crate) async fn shows_a_dead_worker(system: &System, page: &Page) {
    system.kill(Service::Worker).await;
    page.comes_to_say("breaker-worker", "open").await;
    page.comes_to_show("worker", "broken").await;
    let listed = async || page.text("changes").await.contains(WORKER_OPENED);
    page.comes_to("the change is listed", listed).await;
    assert_eq!(page.text("breaker-database").await, "closed");
    sleep(A_WHILE).await;
    page.counts("naive-failed", |failed| failed > 3).await;
    page.counts("resilient-accepted", |accepted| accepted > 3)
        .await;
    page.comes_to_head("Worker breaker open: naive fails").await;
    let why = page.text("meaning-worker").await;
    assert!(why.contains("Why it opened: "), "{why}");
    assert_eq!(page.text("worker-error").await, "connect refused");
    page.comes_to_say("breaker-worker", "open").await;
    offers_an_operator_what_is_owed(page).await;
    page.picture("worker-dead").await;

    system.start(Service::Worker).await;
    page.comes_to_say("breaker-worker", "closed").await;
    page.comes_to_show("worker", "healthy").await;
    page.counts("open-work", |open| open <= UNDER_WAY).await;
}

/// Without the token the command, with it the deed.
async fn offers_an_operator_what_is_owed(page: &Page) {
    let why = "worker breaker open: connect refused";
    let listed = async || page.text("received-list").await.contains(why);
    page.comes_to("what is owed says why it waits", listed)
        .await;
    let button = page.first_button("received-list").await;
    assert_eq!(button.text().await.unwrap(), "Copy curl");
    button.click().await.unwrap();
    let command = page.text("operator-command").await;
    assert!(command.starts_with("curl -X POST "), "{command}");
    assert!(command.ends_with("/cancel'"), "{command}");

    let token = page.element("token").await;
    token.send_keys(ADMIN_TOKEN).await.unwrap();
    let button = page.first_button("received-list").await;
    assert_eq!(button.text().await.unwrap(), "Cancel");
    button.click().await.unwrap();
    let told = async || page.text("changes").await.contains("You: cancel ");
    page.comes_to("the cancel is told", told).await;
    token.clear().await.unwrap();
}

pub(crate) async fn shows_a_dead_database(system: &System, page: &Page) {
    system.kill(Service::Db).await;
    page.comes_to_say("breaker-database", "open").await;
    page.comes_to_show("database", "broken").await;
    page.counts("journal-entries", |entries| entries > 0).await;
    let before = page.figure("journal-entries").await.unwrap();
    page.counts("journal-entries", |entries| entries > before)
        .await;
    sleep(A_WHILE).await;
    page.counts("resilient-journalled", |done| done > 3).await;
    page.comes_to_say("breaker-database", "open").await;
    page.comes_to_say("failed-note", "cannot be told while Postgres is not there")
        .await;
    page.picture("database-dead").await;

    system.start(Service::Db).await;
    page.comes_to_say("breaker-database", "closed").await;
    page.comes_to_show("database", "healthy").await;
    page.comes_to_say("journal-entries", "0").await;
}

pub(crate) async fn shows_hung_calls_and_keeps_its_other_connections(system: &System, page: &Page) {
    system.pause(Service::Worker).await;
    // More than the browser may have under way: all of its naive connections hang.
    page.counts("naive-waiting", |waiting| waiting == 4).await;
    page.counts("naive-queued", |queued| queued > 4).await;
    let accepted = page.figure("resilient-accepted").await.unwrap();
    page.counts("resilient-accepted", |now| now > accepted + 5)
        .await;
    page.comes_to_say("breaker-worker", "open").await;
    assert_eq!(page.text("connection").await, "live");
    page.picture("worker-hung").await;

    // Those that wait are still sent, those that hang still answered.
    page.clicks("traffic").await;
    system.start(Service::Worker).await;
    page.comes_to_say("naive-queued", "0").await;
    page.comes_to_say("naive-waiting", "0").await;
    page.comes_to_say("breaker-worker", "closed").await;
    page.comes_to_say("open-work", "0").await;
}

pub(crate) async fn comes_back_with_the_api(system: &System, page: &Page) {
    system.kill(Service::Api).await;
    page.comes_to_say("connection", "reconnecting…").await;
    // Nothing that was true before looks as if it still were.
    for (id, nothing) in [
        ("breaker-worker", "unknown"),
        ("breaker-database", "unknown"),
        ("journal-entries", "–"),
        ("open-work", "–"),
        ("worker-failures", "–"),
    ] {
        assert_eq!(page.text(id).await, nothing, "{id}");
    }
    page.comes_to_show("api", "broken").await;
    page.comes_to_show("worker", "unknown").await;

    system.start(Service::Api).await;
    page.comes_to_say("connection", "live").await;
    page.comes_to_say("breaker-worker", "closed").await;
    page.comes_to_say("open-work", "0").await;
    page.comes_to_show("api", "healthy").await;
}

pub(crate) async fn breaks_and_heals_by_its_buttons(system: &System, page: &Page) {
    page.goes_to(&system.controlled().await).await;
    page.comes_to_say("connection", "live").await;
    page.comes_to_say("run-kill-worker", "Kill").await;
    page.clicks("traffic").await;
    page.clicks("run-kill-worker").await;
    page.comes_to_head("Worker’s process killed").await;
    page.comes_to_say("breaker-worker", "open").await;
    page.counts("resilient-accepted", |accepted| accepted > 0)
        .await;
    page.picture("buttons").await;

    page.clicks("run-start-worker").await;
    page.comes_to_say("breaker-worker", "closed").await;
    page.comes_to_head("Nothing is broken").await;
    page.comes_to_say("open-work", "0").await;
    page.clicks("traffic").await;
}
