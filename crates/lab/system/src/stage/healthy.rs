//! Waiting until services in containers are healthy, by the word of their engines.

use std::time::Duration;

use tokio::time::Instant;

use super::{Condition, Service};
use crate::error::SystemError;
use crate::wait::Patience;

/// Several rounds of the health checks of `deploy/compose.yml`; on nodes three data directories, one after the other, on a busy
/// machine.
pub(super) const PATIENCE: Patience =
    Patience::new(Duration::from_secs(180), Duration::from_millis(250));

/// Looks until all of these are healthy, and tells of each when it is. If one is not in time: which, and what ails it.
pub(super) async fn until_healthy<F>(
    services: &[Service],
    look: impl Fn() -> F,
    told: impl Fn(Service),
) -> Result<Result<(), (Service, String)>, SystemError>
where
    F: Future<Output = Result<Vec<(Service, Condition)>, SystemError>>,
{
    let since = Instant::now();
    let mut waiting = services.to_vec();
    let mut wait = PATIENCE.begin();
    loop {
        let seen = look().await?;
        for (service, condition) in &seen {
            if waiting.contains(service) && condition.is_healthy() {
                told(*service);
                waiting.retain(|it| it != service);
            }
        }
        let Some(service) = waiting.first().copied() else {
            return Ok(Ok(()));
        };
        if wait.is_over().await {
            let ill = seen.iter().find_map(|(it, condition)| match condition {
                Condition::Running { ill, .. } if *it == service => ill.as_deref(),
                _ => None,
            });
            let (problem, seconds) = (ill.unwrap_or("is not there"), since.elapsed().as_secs());
            return Ok(Err((service, format!("{problem} after {seconds} s"))));
        }
    }
}
