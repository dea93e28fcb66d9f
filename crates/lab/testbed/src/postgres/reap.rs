//! Clusters that outlived the test run they were made for: found by the owner recorded in their folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use super::PostgresError;
use super::account::{self, Account};
use super::server::Installation;
use crate::files::write_json;
use crate::process::{Identity, ProcessTree};
use crate::wait::Patience;

/// Folders of clusters whose owner is recorded; the record is there before the folder has this name.
const PREFIX: &str = "holdfast-cluster-";
const DRAFT: &str = "holdfast-new-";
const RECORD: &str = "owner.json";
const ENDS: Patience = Patience::new(Duration::from_secs(2), Duration::from_millis(10));

/// Who deletes a cluster, and what there is to kill first.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record {
    owner: Identity,
    /// In the order in which they are to be killed.
    pub(super) trees: Vec<ProcessTree>,
}

impl Record {
    pub(super) fn write(&self, cluster: &Path) -> Result<(), PostgresError> {
        let path = cluster.join(RECORD);
        write_json(&path, self).map_err(PostgresError::folder("write", path))
    }

    fn read(cluster: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(cluster.join(RECORD)).ok()?).ok()
    }
}

/// Makes a new folder with a record of who deletes it, this process, and of what will run there.
pub(super) fn recorded(
    account: &Account,
    parent: &Path,
    trees: impl FnOnce(&Path) -> Vec<ProcessTree>,
) -> Result<(PathBuf, Record), PostgresError> {
    let owner = Identity::own().ok_or_else(|| PostgresError::Stuck(Vec::new()))?;
    // As the kernel will show it, links resolved.
    let parent = parent.canonicalize();
    let parent = parent.map_err(PostgresError::folder("find", "the folder for clusters"))?;
    let draft = account.new_folder(&parent, DRAFT)?;
    let folder = PathBuf::from(draft.to_string_lossy().replace(DRAFT, PREFIX));
    let trees = trees(&folder);
    let record = Record { owner, trees };
    record.write(&draft)?;
    fs::rename(&draft, &folder).map_err(PostgresError::folder("make", &folder))?;
    Ok((folder, record))
}

/// Kills and deletes the clusters in `parent` whose owner is dead. What cannot be reaped (another user's) is left.
pub(super) async fn stale(parent: &Path) {
    let items = fs::read_dir(parent).into_iter().flatten().flatten();
    for item in items {
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
        stale(&installation.account.temporary_folder().await).await;
    }
}

async fn bury(cluster: &Path, record: Record) {
    for tree in record.trees {
        tree.resume();
        // The immediate shutdown also removes a server's shared memory, which SIGKILL would leave behind.
        tree.signal_leader(Signal::QUIT);
        let mut wait = ENDS.begin();
        while tree.is_alive() && !wait.is_over().await {}
        if tree.kill().await.is_err() {
            return;
        }
    }
    let _ = account::delete(cluster);
}
