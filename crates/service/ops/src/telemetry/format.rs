//! Which form lines have.

use std::io::IsTerminal;

use crate::environment::{Environment, EnvironmentError};

const VARIABLE: &str = "HOLDFAST_LOG_FORMAT";

/// The form of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// One JSON object.
    Json,
    /// Text for people.
    Pretty {
        /// With the terminal's colours.
        colours: bool,
    },
}

impl Format {
    /// As `HOLDFAST_LOG_FORMAT` says, else by what standard output is.
    pub(super) fn choose(environment: &Environment) -> Result<Self, EnvironmentError> {
        let terminal = std::io::stdout().is_terminal();
        Self::of(environment.get(VARIABLE), terminal)
    }

    fn of(named: Option<&str>, terminal: bool) -> Result<Self, EnvironmentError> {
        let pretty = Self::Pretty { colours: terminal };
        match named {
            None if terminal => Ok(pretty),
            None | Some("json") => Ok(Self::Json),
            Some("pretty") => Ok(pretty),
            Some(other) => Err(EnvironmentError::Invalid {
                name: VARIABLE,
                value: other.to_owned(),
                problem: "give json or pretty, or leave it unset".to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_text_and_a_machine_json_unless_one_is_named() {
        let text = |colours| Ok(Format::Pretty { colours });
        assert_eq!(Format::of(None, true), text(true));
        assert_eq!(Format::of(None, false), Ok(Format::Json));
        assert_eq!(Format::of(Some("pretty"), false), text(false));
        assert_eq!(Format::of(Some("json"), true), Ok(Format::Json));
    }

    #[test]
    fn an_unknown_format_is_refused_by_name() {
        let refusal = Format::of(Some("xml"), true).unwrap_err().to_string();
        assert!(
            refusal.starts_with("HOLDFAST_LOG_FORMAT=\"xml\""),
            "{refusal}"
        );
    }
}
