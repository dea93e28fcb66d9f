//! When the breaker opens, something is wrong with the server, or the way to it: sessions from before may lead nowhere, and
//! none of them is used again unasked.

use holdfast_policy::BreakerState;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::Store;
use crate::live::Transition;

/// Puts all sessions of `stores` in doubt each time the breaker of the database opens, for as long as there are transitions.
pub(crate) async fn doubt_when_open(mut transitions: Receiver<Transition>, stores: Vec<Store>) {
    loop {
        let opened = match transitions.recv().await {
            Ok(it) => it.dependency == "database" && it.to == BreakerState::Open,
            // One of those that were missed may have been it.
            Err(RecvError::Lagged(_)) => true,
            Err(RecvError::Closed) => return,
        };
        if opened {
            stores.iter().for_each(|store| store.sessions.doubt());
        }
    }
}
