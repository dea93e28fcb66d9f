//! Clusters that outlived the test run they were made for: found by the owner recorded in their folder.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use super::account::Account;
use super::server::{Installation, Server};
use super::{PostgresError, folder};
use crate::process::{Identity, ProcessTree};

/// Folders of clusters whose owner is recorded; the record is there before the folder has this name.
pub(super) const PREFIX: &str = "holdfast-cluster-";
const DRAFT: &str = "holdfast-new-";
const RECORD: &str = "owner.json";

/// Who deletes a cluster, and what there is to kill first.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) owner: Identity,
    pub(super) server: Option<Server>,
    /// Of a replicated one, in the order in which they are to be killed.
    #[serde(default)]
    pub(super) trees: Vec<ProcessTree>,
}

impl Record {
    /// Writes the record, all of it or nothing.
    pub(super) fn write(&self, cluster: &Path) -> Result<(), PostgresError> {
        let path = cluster.join(RECORD);
        let draft = path.with_extension("new");
        serde_json::to_vec(self)
            .map_err(std::io::Error::from)
            .and_then(|bytes| fs::write(&draft, bytes))
            .and_then(|()| fs::rename(&draft, &path))
            .map_err(PostgresError::folder("write", path))
    }

    fn read(cluster: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(cluster.join(RECORD)).ok()?).ok()
    }
}

/// A server that is yet to be started, in a new folder with a record of who deletes it: this process. What is started there
/// is found by its folder, also before its pid is recorded.
pub(super) fn owned(
    account: &Account,
    parent: &Path,
    port: u16,
) -> Result<(Identity, Server), PostgresError> {
    let record = recorded(account, parent, |owner, folder| Record {
        owner,
        server: Some(Server::new(folder.to_owned(), folder.join("log"), port)),
        trees: Vec::new(),
    })?;
    let Record { owner, server, .. } = record.1;
    let server = server.ok_or_else(|| PostgresError::Stuck(Vec::new()))?;
    Ok((owner, server))
}

/// Makes a new folder with the record that `of` makes of its owner, this process, and of where it will be.
pub(super) fn recorded(
    account: &Account,
    parent: &Path,
    of: impl FnOnce(Identity, &Path) -> Record,
) -> Result<(PathBuf, Record), PostgresError> {
    let owner = Identity::own().ok_or_else(|| PostgresError::Stuck(Vec::new()))?;
    // As the kernel will show it, links resolved.
    let parent = parent.canonicalize();
    let parent = parent.map_err(PostgresError::folder("find", "the folder for clusters"))?;
    let draft = folder::create(account, &parent, DRAFT)?;
    let folder = PathBuf::from(draft.to_string_lossy().replace(DRAFT, PREFIX));
    let record = of(owner, &folder);
    record.write(&draft)?;
    fs::rename(&draft, &folder).map_err(PostgresError::folder("make", &folder))?;
    Ok((folder, record))
}

/// Kills and deletes the clusters in `parent` whose owner is dead. What cannot be reaped (another user's) is left.
pub(super) async fn stale(parent: &Path) {
    let Ok(items) = fs::read_dir(parent) else {
        return;
    };
    for item in items.flatten() {
        if item.file_name().to_string_lossy().starts_with(PREFIX) {
            let cluster = item.path();
            if let Some(record) = Record::read(&cluster)
                && !record.owner.is_alive()
            {
                bury(&cluster, record).await;
            }
        }
    }
}

/// Kills and deletes every cluster of this machine's whose owner is dead. Nothing is there without an installation.
pub async fn end_stale() {
    if let Ok(installation) = Installation::find().await {
        stale(&folder::temporary(&installation.account).await).await;
    }
}

async fn bury(cluster: &Path, record: Record) {
    for tree in record.trees {
        if tree.kill().await.is_err() {
            return;
        }
    }
    if let Some(server) = record.server {
        server.tree.resume();
        // The immediate shutdown also removes the server's shared memory, which SIGKILL would leave behind.
        server.tree.signal_leader(Signal::QUIT);
        let _ = tokio::time::timeout(std::time::Duration::from_secs(2), server.ended()).await;
        if server.kill().await.is_err() {
            return;
        }
    }
    let _ = folder::delete(cluster);
}
