//! When the breaker opens, something is wrong with the server, or the way to it: sessions from before may lead nowhere, and
//! none of them is used again unasked.

use holdfast_policy::{BreakerState, Event, Observer};

use super::Store;

/// Puts all sessions of `stores` in doubt each time the breaker that it observes opens.
pub(crate) fn doubt_when_open(stores: Vec<Store>) -> impl Observer {
    move |event: &Event<'_>| {
        if let Event::Transition {
            to: BreakerState::Open,
            ..
        } = event
        {
            stores.iter().for_each(|store| store.sessions.doubt());
        }
    }
}
