//! The process that is the links: forwards, and does what its controller says.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::conversation::converse;
use super::{LinkError, Listen};
use crate::proxy::{AFTER_AN_ERROR, Fault, FaultProxy};

/// Several links under one control.
#[derive(Debug)]
pub struct Links {
    by_name: BTreeMap<String, FaultProxy>,
    /// Held by the connection that has set a fault, until all is healed after it.
    pub(super) control: Arc<Mutex<()>>,
}

impl Links {
    /// Listens; the n-th link's chance is seeded with `seed + n`, from 0.
    pub async fn start(wanted: &[Listen], seed: u64) -> Result<Self, LinkError> {
        let mut by_name = BTreeMap::new();
        for (link, seed) in wanted.iter().zip(seed..) {
            let address = link.address;
            let proxy = FaultProxy::listen(address, &link.upstream, seed)
                .await
                .map_err(|source| LinkError::Bind { address, source })?;
            by_name.insert(link.name.clone(), proxy);
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
pub async fn serve(links: Links, control: TcpListener) {
    let links = Arc::new(links);
    let mut conversations = JoinSet::new();
    loop {
        tokio::select! {
            accepted = control.accept() => {
                match accepted {
                    Ok((stream, _)) => {
                        conversations.spawn(converse(stream, Arc::clone(&links)));
                    }
                    Err(_) => sleep(AFTER_AN_ERROR).await,
                }
            }
            Some(_) = conversations.join_next() => {}
        }
    }
}
