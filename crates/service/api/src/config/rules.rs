//! The rules that span several keys of the policy file. What one policy alone must hold is checked by its own crate.

use std::fmt::Display;
use std::time::Duration;

use holdfast_policy::BulkheadConfig;

use super::error::PolicyFileError;
use super::policies::{Policies, RateLimitPolicy};

/// Postgres grants 100 connections by default and keeps 3 for its superuser.
const POSTGRES_CONNECTIONS: u32 = 97;
/// Sessions of those who read `/requests`: few, so that they cannot crowd out live calls.
pub(crate) const READERS: u32 = 4;
/// Sessions of recovery, which makes one call at a time, and of retention; the third is for while one is being retired.
pub(crate) const RECOVERERS: u32 = 3;
/// Room for a dozen small requests.
const MIN_JOURNAL: u64 = 64 * 1024;
/// As for the times that the policy crate checks.
const MIN_DURATION: Duration = Duration::from_millis(1);
const MAX_DURATION: Duration = Duration::from_secs(24 * 3600);
/// Sessions that are closed sooner are opened for nothing.
const MIN_SESSION_LIFE: Duration = Duration::from_secs(1);
const MAX_KEEP: Duration = Duration::from_secs(365 * 24 * 3600);

/// `Retry-After` counts in seconds.
const MIN_WINDOW: Duration = Duration::from_secs(1);
const MAX_REPLICAS: u32 = 1_000;
const MAX_CLIENTS: usize = 1_000_000;
/// More in a second than a whole API answers; and each has a part of the window that a clock can tell.
const MAX_REQUESTS: u32 = 1_000_000;

type Checked = Result<(), PolicyFileError>;

/// Checks all of them; the first that does not hold is named.
pub(super) fn check(policies: &Policies) -> Checked {
    policies.worker.policy().validate("worker")?;
    policies.database.policy().validate("database")?;
    check_process(policies)?;
    check_worker(policies)?;
    check_database(policies)?;
    check_journal(policies)?;
    check_recovery(policies)?;
    check_idempotency(policies)
}

fn check_process(policies: &Policies) -> Checked {
    let max_in_flight = policies.process.max_in_flight;
    let later = policies.recovery.max_concurrent;
    let broken = |rule: &str| broken("process.max_in_flight", max_in_flight, rule);
    if max_in_flight == 0 {
        return Err(broken("must be at least 1"));
    }
    // Or work that is done later would take the slots of live calls.
    if max_in_flight.saturating_add(later) > capacity(&policies.worker.bulkhead) {
        return Err(broken(&format!(
            "with recovery.max_concurrent ({later}) must not exceed worker.bulkhead's max_concurrent + max_waiting"
        )));
    }
    check_rate_limit(&policies.process.rate_limit)
}

fn check_rate_limit(limit: &RateLimitPolicy) -> Checked {
    if limit.requests.get() > MAX_REQUESTS {
        let rule = "must be 1 to 1000000";
        return Err(broken("process.rate_limit.requests", limit.requests, rule));
    }
    if !(MIN_WINDOW..=MAX_DURATION).contains(&limit.window) {
        let rule = "must be 1s to 24h";
        return Err(broken_time("process.rate_limit.window", limit.window, rule));
    }
    if limit.window.subsec_nanos() > 0 {
        let rule = "must be whole seconds, as RateLimit-Policy tells it";
        return Err(broken_time("process.rate_limit.window", limit.window, rule));
    }
    if !(1..=MAX_CLIENTS).contains(&limit.max_clients) {
        let rule = "must be 1 to 1000000: each costs some hundred bytes of memory";
        let key = "process.rate_limit.max_clients";
        return Err(broken(key, limit.max_clients, rule));
    }
    Ok(())
}

fn check_worker(policies: &Policies) -> Checked {
    let worker = &policies.worker;
    if worker.connect_timeout.is_zero() || worker.connect_timeout > worker.attempt_timeout {
        return Err(broken_time(
            "worker.connect_timeout",
            worker.connect_timeout,
            "must be above zero and at most worker.attempt_timeout",
        ));
    }
    Ok(())
}

fn check_database(policies: &Policies) -> Checked {
    let database = &policies.database;
    if database.connect_timeout.is_zero() || database.connect_timeout > database.attempt_timeout {
        return Err(broken_time(
            "database.connect_timeout",
            database.connect_timeout,
            "must be above zero and at most database.attempt_timeout",
        ));
    }
    for (key, limit) in [
        ("database.attempt_timeout", database.attempt_timeout),
        ("database.deadline", database.deadline),
    ] {
        if !limit.subsec_nanos().is_multiple_of(1_000_000) {
            let rule = "must be whole milliseconds: Postgres' statement_timeout counts in them";
            return Err(broken_time(key, limit, rule));
        }
    }
    if database.pool.max_wait >= database.attempt_timeout {
        return Err(broken_time(
            "database.pool.max_wait",
            database.pool.max_wait,
            "must be below database.attempt_timeout, or a busy pool looks like a hung database",
        ));
    }
    for (key, limit) in [
        ("database.pool.idle_timeout", database.pool.idle_timeout),
        ("database.pool.max_lifetime", database.pool.max_lifetime),
    ] {
        if !(MIN_SESSION_LIFE..=MAX_DURATION).contains(&limit) {
            return Err(broken_time(key, limit, "must be 1s to 24h"));
        }
    }
    // The naive endpoint has a pool of the same size, readers and recovery have a small one each.
    let most = (POSTGRES_CONNECTIONS - READERS - RECOVERERS) / 2;
    if database.pool.max_size == 0 || database.pool.max_size > most {
        return Err(broken(
            "database.pool.max_size",
            database.pool.max_size,
            "must be 1 to 45: two pools of this size and 7 more share Postgres' 100 connections, 3 of them reserved",
        ));
    }
    if !(1..=MAX_REPLICAS).contains(&database.pool.replicas) {
        let rule = "must be 1 to 1000: how many replicas of the API share this Postgres";
        let key = "database.pool.replicas";
        return Err(broken(key, database.pool.replicas, rule));
    }
    Ok(())
}

fn check_journal(policies: &Policies) -> Checked {
    let journal = &policies.journal;
    if !(MIN_DURATION..=MAX_DURATION).contains(&journal.deadline) {
        let rule = "must be 1ms to 24h";
        return Err(broken_time("journal.deadline", journal.deadline, rule));
    }
    if journal.max_bytes < MIN_JOURNAL {
        return Err(broken(
            "journal.max_bytes",
            journal.max_bytes,
            "must be at least 65536",
        ));
    }
    if !(1..=1024).contains(&journal.max_batch) {
        return Err(broken(
            "journal.max_batch",
            journal.max_batch,
            "must be 1 to 1024",
        ));
    }
    Ok(())
}

fn check_recovery(policies: &Policies) -> Checked {
    let recovery = &policies.recovery;
    let worst_case = policies.worst_case();
    if recovery.lease <= worst_case {
        let rule = format!(
            "must be above the worst case ({worst_case:?}), or a request is done twice while it is under way"
        );
        return Err(broken_time("recovery.lease", recovery.lease, &rule));
    }
    if recovery.lease > MAX_DURATION {
        let rule = "must be at most 24h: a killed API's requests wait as long";
        return Err(broken_time("recovery.lease", recovery.lease, rule));
    }
    for (key, value) in [
        ("recovery.max_open", recovery.max_open),
        ("recovery.max_attempts", recovery.max_attempts.into()),
        ("recovery.max_concurrent", recovery.max_concurrent.into()),
    ] {
        if value == 0 {
            return Err(broken(key, value, "must be at least 1"));
        }
    }
    let pace = recovery.requeue_per_second;
    if !(0.1..=10_000.0).contains(&pace) {
        let rule = "must be 0.1 to 10000";
        return Err(broken("recovery.requeue_per_second", pace, rule));
    }
    Ok(())
}

fn check_idempotency(policies: &Policies) -> Checked {
    let keep = policies.idempotency.keep;
    if keep < policies.recovery.lease {
        return Err(broken_time(
            "idempotency.keep",
            keep,
            "must be at least recovery.lease, or a key is gone while its request is under way",
        ));
    }
    if keep > MAX_KEEP {
        let rule = "must be at most 8760h, a year";
        return Err(broken_time("idempotency.keep", keep, rule));
    }
    Ok(())
}

fn capacity(bulkhead: &BulkheadConfig) -> u32 {
    bulkhead.max_concurrent.saturating_add(bulkhead.max_waiting)
}

fn broken_time(key: &str, value: Duration, rule: &str) -> PolicyFileError {
    broken(key, format!("{value:?}"), rule)
}

fn broken(key: &str, value: impl Display, rule: &str) -> PolicyFileError {
    PolicyFileError::Rule(format!("{key} = {value}: {rule}"))
}
