//! Reading the policy file: the built-in defaults, the operator's file laid over them key by key, the rules.

use std::path::Path;

use serde::Deserialize;
use toml::{Table, Value};

use super::error::PolicyFileError;
use super::policies::Policies;
use super::{place, rules};

/// The defaults, and the documentation of every key.
const DEFAULTS: &str = include_str!("../../../../../deploy/policies.toml");

/// The policies in force, as types and as the text they were given in.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Validated.
    pub policies: Policies,
    /// Every key with its value as written.
    pub table: Table,
}

/// Reads `path` over the defaults; without a path, the defaults alone.
///
/// # Errors
/// When the file cannot be read, has an unknown key or a wrong type, or breaks a rule.
pub(crate) fn load(path: Option<&Path>) -> Result<Loaded, PolicyFileError> {
    let Some(path) = path else { return parse("") };
    let text = std::fs::read_to_string(path).map_err(|source| PolicyFileError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    parse(&text).map_err(|inner| PolicyFileError::In {
        path: path.to_owned(),
        inner: Box::new(inner),
    })
}

/// Reads `text` over the defaults.
///
/// # Errors
/// What is wrong with it, by line and key.
pub fn parse(text: &str) -> Result<Loaded, PolicyFileError> {
    let mut table = read(DEFAULTS)?;
    overlay(&mut table, read(text)?);
    let policies: Policies = serde_path_to_error::deserialize(Value::Table(table.clone()))
        .map_err(|error| {
            let path = error.path().to_string();
            let keys: Vec<&str> = path.split('.').collect();
            let problem = error.inner().message().trim().replace('\n', " ");
            place::invalid(text, &keys, &problem)
        })?;
    rules::check(&policies).map_err(|error| place::broken(text, &error.to_string()))?;
    Ok(Loaded { policies, table })
}

fn read(text: &str) -> Result<Table, PolicyFileError> {
    Table::deserialize(
        toml::Deserializer::parse(text).map_err(|error| place::syntax(text, &error))?,
    )
    .map_err(|error| place::syntax(text, &error))
}

/// Lays `over` on `table`: tables are merged, everything else is replaced.
fn overlay(table: &mut Table, over: Table) {
    for (key, value) in over {
        match (table.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => overlay(below, above),
            (_, value) => {
                table.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn refusal(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn the_defaults_are_coherent_and_give_the_published_bound() {
        let loaded = parse("").unwrap();
        assert_eq!(loaded.policies.worst_case(), Duration::from_secs(8));
        assert_eq!(loaded.policies.worker.retry.max_attempts, 3);
    }

    #[test]
    fn a_file_changes_only_the_keys_it_names() {
        let loaded = parse("[worker]\nretry = { max_attempts = 5 }").unwrap();
        assert_eq!(loaded.policies.worker.retry.max_attempts, 5);
        assert_eq!(
            loaded.policies.worker.retry.backoff.initial,
            Duration::from_millis(100)
        );
        assert_eq!(
            loaded.table["worker"]["attempt_timeout"].as_str(),
            Some("2600ms")
        );
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let refusal =
            refusal("[process]\nmax_in_flight = 10\n\n[worker]\nattempt_timeuot = \"1s\"");
        assert!(
            refusal.starts_with("line 5: worker.attempt_timeuot: unknown field"),
            "{refusal}"
        );
    }

    #[test]
    fn a_value_of_the_wrong_type_is_refused_with_its_key() {
        let number = refusal("[worker]\ndeadline = 5");
        assert!(
            number.starts_with("line 2: worker.deadline: invalid type"),
            "{number}"
        );
        let nested = refusal("[database.retry]\nmax_attempts = \"two\"");
        assert!(
            nested.starts_with("line 2: database.retry.max_attempts: "),
            "{nested}"
        );
    }

    #[test]
    fn text_that_is_no_toml_is_refused_with_its_line() {
        assert!(refusal("[worker]\ndeadline = = 1").starts_with("line 2: "));
    }

    #[test]
    fn incoherent_dependencies_are_refused_naming_key_value_and_rule() {
        for (text, expected) in [
            (
                "[process]\nmax_in_flight = 0",
                "process.max_in_flight = 0: must be at least 1",
            ),
            (
                "[worker.bulkhead]\nmax_concurrent = 50",
                "process.max_in_flight = 512: with recovery.max_concurrent (64) must not exceed worker",
            ),
            (
                "[process.rate_limit]\nwindow = \"100ms\"",
                "process.rate_limit.window = 100ms: must be 1s to 24h",
            ),
            (
                "[process.rate_limit]\nwindow = \"1500ms\"",
                "process.rate_limit.window = 1.5s: must be whole seconds",
            ),
            (
                "[process.rate_limit]\nclient = \"cookie\"",
                "line 2: process.rate_limit.client: `cookie` is neither",
            ),
            (
                "[process]\ntrusted_priorities = [\"here\"]",
                "line 2: process.trusted_priorities",
            ),
            (
                "[worker]\nconnect_timeout = \"3s\"",
                "worker.connect_timeout = 3s: must be",
            ),
            (
                "[database]\nconnect_timeout = \"0ms\"",
                "database.connect_timeout = 0ns: must be",
            ),
            (
                "[database]\npool = { max_size = 60 }",
                "database.pool.max_size = 60: must be 1 to 45",
            ),
            (
                "[database]\npool = { replicas = 0 }",
                "database.pool.replicas = 0: must be 1 to 1000",
            ),
            (
                "[database]\npool = { max_wait = \"400ms\" }",
                "database.pool.max_wait = 400ms: must be below",
            ),
            (
                "[database]\npool = { idle_timeout = \"0s\" }",
                "database.pool.idle_timeout = 0ns: must be 1s to 24h",
            ),
        ] {
            let refusal = refusal(text);
            let (place, said) = refusal.split_at(refusal.find(expected).unwrap_or_default());
            assert!(said.starts_with(expected), "{text}: {refusal}");
            assert!(place.is_empty() || place.starts_with("line "), "{refusal}");
        }
    }

    #[test]
    fn incoherent_files_are_refused_naming_key_value_and_rule() {
        for (text, expected) in [
            (
                "[journal]\ndeadline = \"0ms\"",
                "journal.deadline = 0ns: must be 1ms to 24h",
            ),
            (
                "[journal]\nmax_bytes = 1000",
                "journal.max_bytes = 1000: must be at least",
            ),
            (
                "[recovery]\nlease = \"8s\"",
                "recovery.lease = 8s: must be above the worst case",
            ),
            (
                "[recovery]\nmax_concurrent = 0",
                "recovery.max_concurrent = 0: must be at least 1",
            ),
            (
                "[recovery]\nmax_concurrent = 641",
                "process.max_in_flight = 512: with recovery.max_concurrent (641)",
            ),
            (
                "[idempotency]\nkeep = \"10s\"",
                "idempotency.keep = 10s: must be",
            ),
            (
                "[worker]\nattempt_timeout = \"9s\"",
                "worker.attempt_timeout",
            ),
            (
                "[worker.breaker]\nhalf_open_calls = 0",
                "worker.breaker.half_open_calls",
            ),
            (
                "[database.breaker]\nwindow = 3",
                "database.breaker.minimum_calls",
            ),
        ] {
            let refusal = refusal(text);
            let (place, said) = refusal.split_at(refusal.find(expected).unwrap_or_default());
            assert!(said.starts_with(expected), "{text}: {refusal}");
            assert!(place.is_empty() || place.starts_with("line "), "{refusal}");
        }
    }
}
