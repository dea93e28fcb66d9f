//! What is in the template: by this a broken one is known. A temporary folder is swept by others, too.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::PostgresError;
use super::account::Account;

/// In the data directory, where Postgres does not mind it.
const FILE: &str = "holdfast.manifest";

/// Writes down each file, with its size and when it was last written.
pub(super) fn write(data: &Path, account: &Account) -> Result<(), PostgresError> {
    let path = data.join(FILE);
    listing(data)
        .and_then(|listing| fs::write(&path, listing))
        .map_err(PostgresError::folder("write", &path))?;
    account.own(&path)
}

/// Whether all is there as it was written down.
pub(super) fn holds(data: &Path) -> bool {
    let written = fs::read_to_string(data.join(FILE));
    written.is_ok_and(|written| listing(data).is_ok_and(|found| found == written))
}

fn listing(data: &Path) -> io::Result<String> {
    let mut lines = Vec::new();
    let mut folders = vec![data.to_owned()];
    while let Some(folder) = folders.pop() {
        for item in fs::read_dir(folder)? {
            let path = item?.path();
            let found = fs::symlink_metadata(&path)?;
            if found.is_dir() {
                folders.push(path.clone());
            }
            let name = path.strip_prefix(data).unwrap_or(&path);
            if name != Path::new(FILE) {
                let written =
                    (found.is_file()).then(|| (found.len(), found.mtime(), found.mtime_nsec()));
                lines.push(format!("{} {written:?}", name.display()));
            }
        }
    }
    lines.sort();
    Ok(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_that_is_missing_changed_or_new_breaks_it() {
        let account = Account::choose().await.unwrap();
        let made = || {
            let data = tempfile::tempdir().unwrap();
            fs::create_dir(data.path().join("base")).unwrap();
            fs::write(data.path().join("base/1"), "rows").unwrap();
            fs::write(data.path().join("PG_VERSION"), "17").unwrap();
            assert!(!holds(data.path()));
            write(data.path(), &account).unwrap();
            assert!(holds(data.path()));
            data
        };
        let broken: [fn(&Path); 4] = [
            |data| fs::remove_file(data.join("base/1")).unwrap(),
            |data| fs::write(data.join("PG_VERSION"), "16").unwrap(),
            |data| fs::write(data.join("base/2"), "").unwrap(),
            |data| fs::remove_dir_all(data.join("base")).unwrap(),
        ];
        for break_it in broken {
            let data = made();
            break_it(data.path());
            assert!(!holds(data.path()));
        }
    }
}
