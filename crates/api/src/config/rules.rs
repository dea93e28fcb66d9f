//! The rules that span several keys of the policy file. What one policy alone must hold is checked by its own crate.

use std::fmt::Display;

use holdfast_policy::BulkheadConfig;

use super::load::PolicyFileError;
use super::policies::{OnDatabaseUnavailable, Policies};

/// Postgres grants 100 connections by default and keeps 3 for its superuser.
const POSTGRES_CONNECTIONS: u32 = 97;

/// Checks all of them; the first that does not hold is named.
pub(super) fn check(policies: &Policies) -> Result<(), PolicyFileError> {
    policies.worker.policy().validate("worker")?;
    policies.database.policy().validate("database")?;
    check_process(policies)?;
    check_worker(policies)?;
    check_database(policies)
}

fn check_process(policies: &Policies) -> Result<(), PolicyFileError> {
    let max_in_flight = policies.process.max_in_flight;
    let broken = |rule| broken("process.max_in_flight", max_in_flight, rule);
    if max_in_flight == 0 {
        return Err(broken("must be at least 1"));
    }
    if max_in_flight > capacity(&policies.worker.bulkhead) {
        return Err(broken(
            "must not exceed worker.bulkhead's max_concurrent + max_waiting",
        ));
    }
    if max_in_flight > capacity(&policies.database.bulkhead) {
        return Err(broken(
            "must not exceed database.bulkhead's max_concurrent + max_waiting",
        ));
    }
    Ok(())
}

fn check_worker(policies: &Policies) -> Result<(), PolicyFileError> {
    let worker = &policies.worker;
    if worker.connect_timeout.is_zero() || worker.connect_timeout > worker.attempt_timeout {
        return Err(broken(
            "worker.connect_timeout",
            format!("{:?}", worker.connect_timeout),
            "must be above zero and at most worker.attempt_timeout",
        ));
    }
    Ok(())
}

fn check_database(policies: &Policies) -> Result<(), PolicyFileError> {
    let database = &policies.database;
    if database.connect_timeout.is_zero() || database.connect_timeout > database.attempt_timeout {
        return Err(broken(
            "database.connect_timeout",
            format!("{:?}", database.connect_timeout),
            "must be above zero and at most database.attempt_timeout",
        ));
    }
    if !database
        .attempt_timeout
        .subsec_nanos()
        .is_multiple_of(1_000_000)
    {
        return Err(broken(
            "database.attempt_timeout",
            format!("{:?}", database.attempt_timeout),
            "must be whole milliseconds: Postgres' statement_timeout counts in them",
        ));
    }
    if database.pool.max_wait >= database.attempt_timeout {
        return Err(broken(
            "database.pool.max_wait",
            format!("{:?}", database.pool.max_wait),
            "must be below database.attempt_timeout, or a busy pool looks like a hung database",
        ));
    }
    // The naive endpoint has a pool of the same size.
    if database.pool.max_size == 0 || database.pool.max_size > POSTGRES_CONNECTIONS / 2 {
        return Err(broken(
            "database.pool.max_size",
            database.pool.max_size,
            "must be 1 to 48: two pools of this size share Postgres' 100 connections, 3 of them reserved",
        ));
    }
    if database.on_unavailable == Some(OnDatabaseUnavailable::Journal) {
        return Err(broken(
            "database.on_unavailable",
            "journal",
            "not supported yet: leave the key out, or say \"reject\"",
        ));
    }
    Ok(())
}

fn capacity(bulkhead: &BulkheadConfig) -> u32 {
    bulkhead.max_concurrent.saturating_add(bulkhead.max_waiting)
}

fn broken(key: &str, value: impl Display, rule: &str) -> PolicyFileError {
    PolicyFileError::Rule(format!("{key} = {value}: {rule}"))
}
