//! Why an experiment is refused.

use std::fmt;

use thiserror::Error;

use super::location::{Location, line_of};
use crate::hint::hint;

/// Why an experiment's file is refused; one line.
#[derive(Debug, Error)]
#[error("{file}:{line}: {problem}")]
pub struct SchemaError {
    pub file: String,
    pub line: usize,
    /// What is no TOML, unknown, of the wrong type or against a rule: key, value and rule.
    pub problem: String,
}

/// What is wrong, and where, before the location has a line.
#[derive(Debug)]
pub(super) struct Broken {
    location: Location,
    problem: String,
    /// Whether the problem is with the value, so that it is to be told.
    with_value: bool,
}

impl SchemaError {
    pub(super) fn syntax(file: &str, text: &str, error: &toml::de::Error) -> Self {
        Self {
            file: file.to_owned(),
            line: line_of(text, error.span().map_or(0, |span| span.start)),
            problem: one_line(error.message()),
        }
    }
}

impl Broken {
    pub(super) fn rule(location: Location, rule: impl Into<String>) -> Self {
        Self {
            location,
            problem: rule.into(),
            with_value: true,
        }
    }

    pub(super) fn unknown(location: Location, key: &str, known: &[&str]) -> Self {
        Self {
            location,
            problem: format!("unknown key; {}", hint(key, known)),
            with_value: false,
        }
    }

    /// From serde's message.
    pub(super) fn of_type(location: Location, message: &str) -> Self {
        // The wrong word comes first, then those that are known.
        let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
        match quoted.split_first() {
            Some((word, known)) if message.starts_with("unknown field") => {
                Self::unknown(location, word, known)
            }
            Some((word, known)) if message.starts_with("unknown variant") => {
                Self::rule(location, format!("unknown; {}", hint(word, known)))
            }
            _ => Self::rule(location, one_line(message)),
        }
    }

    pub(super) fn of(self, file: &str, text: &str) -> SchemaError {
        let found = self.location.find(text);
        let value = found.value.filter(|_| self.with_value);
        let value = value.map_or(String::new(), |value| format!(" = {value}"));
        let colon = if self.location.is_root() { "" } else { ": " };
        SchemaError {
            file: file.to_owned(),
            line: found.line,
            problem: format!("{}{value}{colon}{}", self.location, self.problem),
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location, self.problem)
    }
}

fn one_line(message: &str) -> String {
    message.trim().replace('\n', " ")
}
