//! Of which sources the lab and the services are.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tokio::process::Command;

/// What git says of the checkout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    Git {
        revision: String,
        /// Whether there was anything that is not in it.
        dirty: bool,
    },
    /// It could not be found out, and why.
    Unknown(String),
}

impl Source {
    pub(crate) async fn of(root: &Path) -> Self {
        read(root).await.unwrap_or_else(Self::Unknown)
    }
}

async fn read(root: &Path) -> Result<Source, String> {
    // The second line says where in its repository the folder is: empty, unless that is somebody else's around it.
    let told = git(root, &["rev-parse", "HEAD", "--show-prefix"]).await?;
    let (revision, within) = told.split_once('\n').unwrap_or((&told, ""));
    if !within.trim().is_empty() {
        return Err("the checkout has no git repository of its own".to_owned());
    }
    let changes = git(root, &["status", "--porcelain"]).await?;
    Ok(Source::Git {
        revision: revision.to_owned(),
        dirty: !changes.is_empty(),
    })
}

/// What it prints; else the last it complained of.
async fn git(root: &Path, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new("git");
    command.arg("-C").arg(root).args(arguments);
    let output = command.kill_on_drop(true).output().await;
    let output = output.map_err(|error| format!("git: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(complaint.lines().last().unwrap_or("git failed").to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A repository with a commit.
    async fn commit(root: &Path) {
        git(root, &["init", "--quiet"]).await.unwrap();
        let commit = "-c user.name=x -c user.email=x@example.org commit --quiet --allow-empty -m x";
        let commit: Vec<&str> = commit.split(' ').collect();
        git(root, &commit).await.unwrap();
    }

    #[tokio::test]
    async fn the_commit_is_told_and_whether_all_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        commit(root).await;
        let Source::Git { revision, dirty } = Source::of(root).await else {
            panic!("it is a repository")
        };
        assert!(revision.len() >= 40 && revision.chars().all(|it| it.is_ascii_hexdigit()));
        assert!(!dirty);
        fs::write(root.join("new"), "").unwrap();
        let changed = Source::of(root).await;
        let dirty = true;
        assert_eq!(changed, Source::Git { revision, dirty });
    }

    #[tokio::test]
    async fn without_a_repository_of_its_own_it_is_said_why_nothing_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let none = Source::of(folder.path()).await;
        assert!(matches!(none, Source::Unknown(why) if why.contains("git")));
        let within = folder.path().join("within");
        fs::create_dir(&within).unwrap();
        commit(folder.path()).await;
        assert!(matches!(Source::of(&within).await, Source::Unknown(why) if why.contains("own")));
    }
}
