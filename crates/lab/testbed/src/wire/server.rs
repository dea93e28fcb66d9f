//! The process that is the wires: forwards, and does what its controller says.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::conversation::converse;
use super::{Listen, WireError};
use crate::proxy::{AFTER_AN_ERROR, Fault, FaultProxy};

/// Several wires under one control.
#[derive(Debug)]
pub struct Wires {
    by_name: BTreeMap<String, FaultProxy>,
    /// Held by the connection that has set a fault, until all is healed after it.
    pub(super) control: Arc<Mutex<()>>,
}

impl Wires {
    /// Listens; the n-th wire's chance is seeded with `seed + n`, from 0.
    ///
    /// # Errors
    /// [`WireError::Bind`].
    pub async fn start(wanted: &[Listen], seed: u64) -> Result<Self, WireError> {
        let mut by_name = BTreeMap::new();
        for (wire, seed) in wanted.iter().zip(seed..) {
            let address = wire.address;
            let proxy = FaultProxy::listen(address, &wire.upstream, seed)
                .await
                .map_err(|source| WireError::Bind { address, source })?;
            by_name.insert(wire.name.clone(), proxy);
        }
        Ok(Self {
            by_name,
            control: Arc::default(),
        })
    }

    pub(super) fn get(&self, name: &str) -> Option<&FaultProxy> {
        self.by_name.get(name)
    }

    pub(super) async fn heal(&self) {
        for proxy in self.by_name.values() {
            proxy.set(Fault::None).await;
        }
    }
}

/// Answers controllers until dropped. Anybody may ask for the counters; one connection at a time may set faults.
pub async fn serve(wires: Wires, control: TcpListener) {
    let wires = Arc::new(wires);
    let mut conversations = JoinSet::new();
    loop {
        tokio::select! {
            accepted = control.accept() => {
                match accepted {
                    Ok((stream, _)) => {
                        conversations.spawn(converse(stream, Arc::clone(&wires)));
                    }
                    Err(_) => sleep(AFTER_AN_ERROR).await,
                }
            }
            Some(_) = conversations.join_next() => {}
        }
    }
}
