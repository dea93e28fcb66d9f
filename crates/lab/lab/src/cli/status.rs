//! `lab status`.

use holdfast_system::error::SystemError;
use holdfast_wire::{Breaker, Dependency, Journal, Status};

use crate::output::{Console, Tone};
use crate::stage::{AdminClient, Condition, Service, Stage};

/// One line per service, then what the API thinks of its dependencies, if it answers. Whether none is dead.
pub(super) async fn show(stage: &Stage, console: Console) -> Result<bool, SystemError> {
    let conditions = stage.conditions().await?;
    let missing = Service::ALL.len() > conditions.len();
    let dead = |(_, condition): &(Service, Condition)| *condition == Condition::Dead;
    let alive = !missing && !conditions.iter().any(dead);
    for (service, condition) in conditions {
        let (tone, text, pid) = describe(&condition);
        let pid = pid.map(|pid| format!("  pid {pid}")).unwrap_or_default();
        console.print(format_args!(
            "{service:<8} {}{pid}",
            console.paint(tone, format_args!("{text:<8}"))
        ));
    }
    let probe = AdminClient::new(stage.api_port().await?);
    match probe.status().await {
        Ok(status) => {
            console.print(format_args!("\nThe API at {} says:", probe.base()));
            breaker("worker", &status.dependencies.worker, console);
            breaker("database", &status.dependencies.database, console);
            journal(status.journal.as_ref(), console);
            recovery(&status, console);
        }
        Err(_) => {
            let silent = format_args!("\nThe API at {} does not answer", probe.base());
            console.print(console.paint(Tone::Bad, silent));
        }
    }
    Ok(alive)
}

fn describe(condition: &Condition) -> (Tone, String, Option<i32>) {
    match condition {
        Condition::Running { ill: None, pid } => (Tone::Good, "healthy".to_owned(), *pid),
        Condition::Running {
            ill: Some(problem),
            pid,
        } => (Tone::Warning, format!("runs, but {problem}"), *pid),
        Condition::Paused { pid } => (Tone::Warning, "paused".to_owned(), *pid),
        Condition::Dead => (Tone::Bad, "dead".to_owned(), None),
    }
}

fn breaker(name: &str, dependency: &Dependency, console: Console) {
    let (tone, state) = match dependency.breaker {
        Breaker::Closed => (Tone::Good, "closed"),
        Breaker::Open => (Tone::Bad, "open"),
        Breaker::HalfOpen => (Tone::Warning, "half open"),
    };
    let again = dependency.retry_after_seconds;
    let again = again
        .map(|seconds| format!(", next try in {seconds:.1} s"))
        .unwrap_or_default();
    let last = dependency
        .last_error
        .map(|reason| format!(", last error {reason}"))
        .unwrap_or_default();
    console.print(format_args!(
        "  {name:<9} breaker {}{again}{last}",
        console.paint(tone, state)
    ));
}

fn journal(journal: Option<&Journal>, console: Console) {
    let Some(journal) = journal else {
        return console.print(format_args!("  {:<9} none", "journal"));
    };
    let (tone, state) = match (journal.available, journal.entries) {
        (false, _) => (Tone::Bad, "cannot write"),
        (true, 0) => (Tone::Good, "empty"),
        (true, _) => (Tone::Warning, "waits for Postgres"),
    };
    let oldest = journal
        .oldest_seconds
        .map(|seconds| format!(", oldest {seconds:.1} s"))
        .unwrap_or_default();
    console.print(format_args!(
        "  {:<9} {}, {} entries, {} bytes{oldest}",
        "journal",
        console.paint(tone, state),
        journal.entries,
        journal.bytes
    ));
}

fn recovery(status: &Status, console: Console) {
    let open = status
        .open_work
        .map_or_else(|| "not counted yet".to_owned(), |open| open.to_string());
    console.print(format_args!("  {:<9} {open}", "open work"));
    let recovery = &status.recovery;
    console.print(format_args!(
        "  {:<9} {} of {} at once, {:.1}/s to Postgres, {:.1}/s finished",
        "recovery",
        recovery.in_flight,
        recovery.limit,
        recovery.replayed_per_second,
        recovery.finished_per_second
    ));
}
