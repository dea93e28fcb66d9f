//! The process environment as a value, read once in `main` and handed down: a function that needs a variable says so in its
//! signature, and tests need no global state.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

/// What services read: variables of these names, or with names that begin so.
const OURS: [&str; 4] = ["DATABASE_URL", "HOLDFAST_", "OTEL_", "RUST_LOG"];

/// A snapshot of environment variables. Empty values count as unset, as shells and Compose files produce them.
#[derive(Debug, Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

/// A variable that is missing or does not parse; one line, naming variable, value and cure.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EnvironmentError {
    /// A required variable is unset.
    #[error("{name} is not set: {hint}")]
    Missing {
        /// The variable.
        name: &'static str,
        /// What to set it to.
        hint: &'static str,
    },
    /// A variable cannot be read.
    #[error("{name} is not Unicode")]
    NotUnicode {
        /// The variable.
        name: String,
    },
    /// A variable has a value it cannot have.
    #[error("{name}={}: {problem}", shown(value))]
    Invalid {
        /// The variable.
        name: &'static str,
        /// What it was set to.
        value: String,
        /// Why that cannot be.
        problem: String,
    },
}

impl Environment {
    /// The environment of this process. Variables that are not Unicode are left out.
    #[must_use]
    pub fn of_process() -> Self {
        let unicode = |(name, value): (OsString, OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        std::env::vars_os().filter_map(unicode).collect()
    }

    /// The same, for a service: what others read may be as it likes, what services read may not be left out.
    ///
    /// # Errors
    /// [`EnvironmentError::NotUnicode`] where a variable of theirs is not.
    pub fn of_service() -> Result<Self, EnvironmentError> {
        Self::read(std::env::vars_os())
    }

    fn read(
        variables: impl Iterator<Item = (OsString, OsString)>,
    ) -> Result<Self, EnvironmentError> {
        let readable = |(name, value): (OsString, OsString)| {
            let name = name.into_string().ok()?;
            match value.into_string() {
                Ok(value) => Some(Ok((name, value))),
                Err(_) if OURS.iter().any(|it| name.starts_with(it)) => {
                    Some(Err(EnvironmentError::NotUnicode { name }))
                }
                Err(_) => None,
            }
        };
        variables.filter_map(readable).collect()
    }

    /// The value of `name`, if set and not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The value of `name`, or an error that carries `hint`.
    ///
    /// # Errors
    /// [`EnvironmentError::Missing`] when unset.
    pub fn required(
        &self,
        name: &'static str,
        hint: &'static str,
    ) -> Result<&str, EnvironmentError> {
        self.get(name)
            .ok_or(EnvironmentError::Missing { name, hint })
    }

    /// The value of `name` parsed, or `default` when unset.
    ///
    /// # Errors
    /// [`EnvironmentError::Invalid`] when set to something that does not parse.
    pub fn parsed<T>(&self, name: &'static str, default: T) -> Result<T, EnvironmentError>
    where
        T: FromStr,
        T::Err: Display,
    {
        let Some(value) = self.get(name) else {
            return Ok(default);
        };
        value
            .parse()
            .map_err(|error: T::Err| invalid(name, value, error))
    }

    /// A duration such as `250ms` or `2s`, or `default` when unset.
    ///
    /// # Errors
    /// [`EnvironmentError::Invalid`] when set to something that is no duration, or a negative one.
    pub fn duration(
        &self,
        name: &'static str,
        default: Duration,
    ) -> Result<Duration, EnvironmentError> {
        let Some(value) = self.get(name) else {
            return Ok(default);
        };
        let signed: jiff::SignedDuration = value
            .parse()
            .map_err(|_| invalid(name, value, "not a duration such as \"250ms\" or \"2s\""))?;
        signed
            .try_into()
            .map_err(|_| invalid(name, value, "a duration cannot be negative"))
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(variables: [(&str, &str); N]) -> Self {
        variables
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter()
            .collect()
    }
}

/// `value` as an error may repeat it: in an address, a login stands before the `@`.
#[must_use]
pub fn shown(value: &str) -> String {
    if value.contains('@') {
        "(hidden: it may carry a password)".to_owned()
    } else {
        format!("{value:?}")
    }
}

fn invalid(name: &'static str, value: &str, problem: impl Display) -> EnvironmentError {
    EnvironmentError::Invalid {
        name,
        value: value.to_owned(),
        problem: problem.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let env = Environment::from([("HOLDFAST_BIND", "")]);
        assert_eq!(env.get("HOLDFAST_BIND"), None);
        assert_eq!(env.parsed("HOLDFAST_BIND", 7), Ok(7));
    }

    #[test]
    fn what_a_service_reads_must_be_unicode_and_what_it_does_not_read_need_not() {
        use std::os::unix::ffi::OsStringExt;

        let read = |name: &str| {
            let value = OsString::from_vec(vec![0xff]);
            let variables = [(name.into(), value), ("HOLDFAST_BIND".into(), "x".into())];
            Environment::read(variables.into_iter())
        };
        let foreign = read("LS_COLORS").unwrap();
        assert_eq!(foreign.get("LS_COLORS"), None);
        assert_eq!(foreign.get("HOLDFAST_BIND"), Some("x"));
        for name in ["HOLDFAST_JOURNAL_DIR", "DATABASE_URL", "RUST_LOG"] {
            let refused = read(name).unwrap_err().to_string();
            assert_eq!(refused, format!("{name} is not Unicode"));
        }
    }

    #[test]
    fn a_missing_variable_is_named_with_its_cure() {
        let empty = Environment::default();
        let error = empty.required("DATABASE_URL", "for example postgres://…");
        assert_eq!(
            error.unwrap_err().to_string(),
            "DATABASE_URL is not set: for example postgres://…"
        );
    }

    #[test]
    fn a_login_in_an_address_is_not_repeated() {
        let error = invalid("URL", "http://me:secret@host/path", "no path").to_string();
        assert_eq!(error, "URL=(hidden: it may carry a password): no path");
        let error = invalid("URL", "http://host/path", "no path").to_string();
        assert_eq!(error, "URL=\"http://host/path\": no path");
    }

    #[test]
    fn durations_are_text_with_a_unit_and_never_negative() {
        let second = Duration::from_secs(1);
        let read = |text| Environment::from([("D", text)]).duration("D", second);
        assert_eq!(read("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(read("0s"), Ok(Duration::ZERO));
        assert!(
            read("2")
                .unwrap_err()
                .to_string()
                .starts_with("D=\"2\": not a duration")
        );
        assert!(read("-2s").unwrap_err().to_string().contains("negative"));
    }
}
