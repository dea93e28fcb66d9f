//! Which lines are written at all.

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Filter;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer};

use crate::environment::{Environment, EnvironmentError};

const VARIABLE: &str = "RUST_LOG";

/// What `RUST_LOG` says.
///
/// `EnvFilter` takes a lock that all threads share whenever a span is entered or left, which a request does dozens of
/// times, to learn whether a directive names that span. Where none names any, `Targets` filters the same without it.
pub(super) enum Directives {
    WithoutSpans(Targets),
    Any(Box<EnvFilter>),
}

impl Directives {
    /// Unset, everything from `info` up.
    pub(super) fn choose(environment: &Environment) -> Result<Self, EnvironmentError> {
        let directives = environment.get(VARIABLE).unwrap_or_default();
        let filter = EnvFilter::builder()
            .with_default_directive(LevelFilter::INFO.into())
            .parse(directives)
            .map_err(|error| EnvironmentError::Invalid {
                name: VARIABLE,
                value: directives.to_owned(),
                problem: error.to_string(),
            })?;
        Ok(match without_spans(&filter) {
            Some(targets) => Self::WithoutSpans(targets),
            None => Self::Any(Box::new(filter)),
        })
    }

    /// For one layer of several.
    pub(super) fn filter<S>(self) -> Box<dyn Filter<S> + Send + Sync>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        match self {
            Self::WithoutSpans(targets) => Box::new(targets),
            Self::Any(filter) => filter,
        }
    }

    /// For all that come after it: what it leaves out is not even made.
    pub(super) fn layer<S: Subscriber>(self) -> Box<dyn Layer<S> + Send + Sync> {
        match self {
            Self::WithoutSpans(targets) => targets.boxed(),
            Self::Any(filter) => filter,
        }
    }
}

/// The same filter, if neither spans nor their fields matter to it.
fn without_spans(filter: &EnvFilter) -> Option<Targets> {
    let directives = filter.to_string();
    let names_spans = directives.contains('[');
    directives.parse().ok().filter(|_| !names_spans)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    fn targets(directives: &str) -> Option<Targets> {
        let default = LevelFilter::INFO.into();
        let builder = EnvFilter::builder().with_default_directive(default);
        without_spans(&builder.parse(directives).unwrap())
    }

    #[test]
    fn levels_of_targets_need_no_look_at_spans() {
        let filter = targets("warn,,holdfast_api=debug,hyper=off").unwrap();
        assert!(filter.would_enable("holdfast_api::http", &Level::DEBUG));
        assert!(!filter.would_enable("holdfast_api::http", &Level::TRACE));
        assert!(filter.would_enable("elsewhere", &Level::WARN));
        assert!(!filter.would_enable("elsewhere", &Level::INFO));
        assert!(!filter.would_enable("hyper", &Level::ERROR));
    }

    #[test]
    fn what_is_said_of_nothing_is_info() {
        let filter = targets("").unwrap();
        assert!(filter.would_enable("anything", &Level::INFO));
        assert!(!filter.would_enable("anything", &Level::DEBUG));
    }

    #[test]
    fn directives_about_spans_or_fields_are_left_to_the_filter_that_knows_them() {
        assert_eq!(targets("[request]=debug"), None);
        assert_eq!(
            targets("info,holdfast_api[call{dependency=worker}]=trace"),
            None
        );
    }
}
