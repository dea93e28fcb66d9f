//! A line for each change of a breaker's state.

use crate::event::{Event, Observer};

/// Logs each change of the breaker's state at level `info`, with `dependency`, `from`, `to` and, when it opened by
/// itself, `because`.
#[derive(Clone, Copy, Debug, Default)]
pub struct TransitionLog;

impl Observer for TransitionLog {
    fn on_event(&self, event: &Event<'_>) {
        let Event::Transition {
            policy,
            from,
            to,
            because,
            ..
        } = event
        else {
            return;
        };
        tracing::info!(
            dependency = policy,
            from = from.as_str(),
            to = to.as_str(),
            because = because.as_ref().map(tracing::field::display),
            "breaker changed state"
        );
    }
}
